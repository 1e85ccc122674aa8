import { hostname } from 'node:os';
import { createCaches } from '../../client/caches.ts';
import type { Caches } from '../../client/caches.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/rest-client.ts';
import type { Logger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { observeProcess } from '../../observe/process-metrics.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { CommandIo, OptionTable } from '../command.ts';
import { connect, connectionOptions } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { logOptions, loggerOf } from './options.ts';

/** The flags of a command that runs one component against any API server. */
export const componentOptions = { ...connectionOptions, ...logOptions } as const satisfies OptionTable;

/** The flag of components that work for one node. */
export const nodeOption = {
  'node-name': { type: 'string', value: 'NAME', summary: 'Node to work for (default: the host name)' },
} as const satisfies OptionTable;

/** The node's name as Kubernetes writes it: lower case. */
export function nodeName(flags: { readonly 'node-name': string | undefined }): string {
  return (flags['node-name'] ?? hostname()).toLowerCase();
}

/** What a component runs with. Disposing of it ends its watches and connections. */
export interface Connected extends AsyncDisposable {
  readonly client: Client;
  readonly caches: Caches;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly connection: Connection;
}

interface ComponentFlags {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly 'log-level': 'debug' | 'info' | 'warn' | 'error';
  readonly 'log-format': 'text' | 'json';
}

/** Connects as the flags say. The API server may be away: caches go on trying. */
export async function connectComponent(
  name: string,
  context: CommandIo & { readonly options: ComponentFlags },
): Promise<Connected> {
  const connection = await connect(context);
  const logger = loggerOf(name, context.options, context);
  const metrics = createMetrics();
  observeProcess(metrics);
  const client = createClient(connection.transport);
  const caches = createCaches(client, { logger, metrics });
  return {
    client,
    caches,
    logger,
    metrics,
    connection,
    async [Symbol.asyncDispose]() {
      await caches[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
