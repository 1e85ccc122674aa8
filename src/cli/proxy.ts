import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { goBeforeOthers } from '../linux/priority.ts';
import { errorText } from '../observe/log.ts';
import { type NodeTuning, tuneNode } from '../proxy/node-tuning.ts';
import { removePlanes } from '../proxy/open-plane.ts';
import { readRunRecord } from '../proxy/run-record.ts';
import { startProxy } from '../proxy/run.ts';
import { CommandError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { aborted, connectComponent } from './component/connected.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { kubeProxyOptions } from './proxy/kube-proxy-options.ts';
import { mergeOptions, type ProxyOptions, proxyOptions } from './proxy/options.ts';
import { readSettings } from './proxy/settings.ts';

type ProxyContext = CommandContext<typeof proxyOptions>;

/** `fairlead proxy`. */
export const command = defineCommand({
  name: 'proxy',
  summary: 'Run the node proxy alone, against any API server',
  usage: ['proxy [flags]', 'proxy --cleanup'],
  description: `Makes the addresses of Services work on this node, in kube-proxy's place (docs/guide/moving-from-kube-proxy.md).
What it programmed stays in force when it ends, so a restart loses nothing, also one with another --plane;
--remove-on-exit takes it away.`,
  options: proxyOptions,
  examples: [
    {
      command: 'fairlead proxy --kubeconfig node.kubeconfig --cluster-cidr 10.244.0.0/16',
      does: 'On a node of a cluster',
    },
    {
      command: 'fairlead proxy --config /var/lib/kube-proxy/config.conf --plane ebpf',
      does: "With kube-proxy's file, on another plane",
    },
  ],
  run,
});

async function run(context: ProxyContext): Promise<ExitCode> {
  const { cleanup, 'cleanup-kube-proxy': kubeProxyAlone } = context.options;
  if (cleanup || kubeProxyAlone) return cleanUp(context, cleanup);
  // A start under load would else leave traffic to where backends were; what follows costs next to nothing.
  goBeforeOthers();
  const { options, tuning } = await withFile(context);
  const settings = readSettings(options, context.cwd);
  const logging = {
    'log-level': options['log-level'] ?? 'warn',
    'log-format': options['log-format'] ?? 'text',
  } as const;
  await using connected = await connectComponent('proxy', { ...context, options: { ...options, ...logging } });
  const { client, caches, logger, metrics } = connected;
  if (tuning !== undefined) tuneNode(tuning, logger);
  const proxy = await startProxy({ ...settings, client, caches, ownsCaches: true, logger, metrics });
  context.stdout.write(`Programming ${proxy.choice.plane}: ${proxy.choice.reason}\n`);
  await aborted(context.signal);
  await (options['remove-on-exit'] ? proxy.remove() : proxy[Symbol.asyncDispose]());
  return exitCodes.ok;
}

async function cleanUp({ stdout }: ProxyContext, ownToo: boolean): Promise<ExitCode> {
  const running = ownToo ? readRunRecord() : undefined;
  if (running !== undefined) {
    throw new CommandError(`a proxy of Fairlead runs here (process ${running.pid})`, {
      code: exitCodes.conflict,
      hint: 'end it first: it brings back what is taken away',
    });
  }
  const { removeKubeProxy } = await import('../proxy/kube-proxy-remains/remove.ts');
  const removed = [...removeKubeProxy(), ...(ownToo ? await removePlanes() : [])];
  for (const what of removed) stdout.write(`removed ${what}\n`);
  if (removed.length === 0) stdout.write('nothing was left here\n');
  return exitCodes.ok;
}

/** The flags, over those of the file that they name; what of the file has no effect is said once. */
async function withFile({ options, cwd, stdout }: ProxyContext): Promise<{
  readonly options: ProxyOptions;
  readonly tuning: NodeTuning | undefined;
}> {
  if (options.config === undefined) return { options, tuning: undefined };
  const path = resolve(cwd, options.config);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CommandError(`${path} (from --config): ${errorText(cause)}`, { code: exitCodes.notFound, cause });
  });
  const { readKubeProxyConfig } = await import('./proxy/kube-proxy-config.ts');
  const file = readKubeProxyConfig(text, options.config);
  const { options: fromFile, tuning } = kubeProxyOptions(file);
  const idle = file.idle.map(({ path: field, why }) => `${field} (${why})`);
  if (idle.length > 0) stdout.write(`Without effect here: ${idle.join('; ')}\n`);
  return { options: mergeOptions(options, fromFile), tuning };
}
