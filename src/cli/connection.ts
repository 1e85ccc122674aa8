import type { Transport } from '../client/client.ts';
import type { Connection as Credentials } from '../client/http-transport.ts';
import type { CommandIo, OptionTable } from './command.ts';
import { resolveKubeconfig } from './kubeconfig-path.ts';

/** The flags of every command that talks to the API server. */
export const connectionOptions = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    summary: 'Which cluster (default: $KUBECONFIG, else the running fairlead up, else ~/.kube/config)',
  },
  context: { type: 'string', value: 'NAME', summary: 'Context of the kubeconfig (default: its current one)' },
} as const satisfies OptionTable;

/** `-n` for commands on namespaced objects. */
export const namespaceOption = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    summary: 'Namespace (default: that of the context, else default)',
  },
} as const satisfies OptionTable;

/** An open way to an API server. */
export interface Connection extends AsyncDisposable {
  readonly transport: Transport;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  /** Address and credentials, for what the transport does not carry: WebSockets. */
  readonly credentials: Credentials;
}

/** Opens a connection from kubeconfig files; tests give their own. */
export type Connect = (kubeconfigs: readonly string[], context: string | undefined) => Promise<Connection>;

/** What commands need of each other's flags to connect. */
export interface ConnectionFlags {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace?: string | undefined;
}

/** Connects as the flags and the environment say; `namespace` is that of `-n` when given. */
export async function connect(context: CommandIo & { readonly options: ConnectionFlags }): Promise<Connection> {
  const { options } = context;
  const opened = await context.connect(await resolveKubeconfig(options.kubeconfig, context), options.context);
  return {
    transport: opened.transport,
    namespace: options.namespace ?? opened.namespace,
    credentials: opened.credentials,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
