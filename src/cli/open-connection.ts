import { httpTransport } from '../client/http-transport.ts';
import { KubeconfigError, loadKubeconfig } from '../client/kubeconfig.ts';
import { CommandError } from './command-error.ts';
import type { Connection } from './connection.ts';

/** Connects over HTTPS as a context of the kubeconfig files says. Throws `CommandError` when they cannot be used. */
export async function openConnection(kubeconfigs: readonly string[], context: string | undefined): Promise<Connection> {
  const resolved = await loadKubeconfig(kubeconfigs, { context }).catch((cause: unknown) => {
    if (!(cause instanceof KubeconfigError)) throw cause;
    throw new CommandError(`${kubeconfigs.join(', ')}: ${cause.message}`, { cause });
  });
  const transport = httpTransport(resolved.connection);
  return {
    transport,
    namespace: resolved.namespace,
    credentials: resolved.connection,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}
