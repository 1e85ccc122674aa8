import type { Difference } from '../proxy/differences.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { alignRows } from './objects/columns.ts';
import { type Palette, palette } from './palette.ts';
import { isChosen, noSuchFrontend } from './proxy-view/chosen.ts';
import { requirePlane } from './proxy-view/plane-in-force.ts';
import { readerOf } from './proxy-view/reader.ts';

const options = {
  node: { type: 'string', value: 'NAME', summary: 'The node that this machine is (default: as its proxy says)' },
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json'], summary: 'How to print' },
  ...connectionOptions,
} as const;

/** `fairlead proxy diff`. */
export const command = defineCommand({
  name: 'proxy diff',
  summary: 'Compare what is in force on this machine with what should be',
  usage: ['proxy diff [SERVICE | ADDRESS…] [flags]'],
  description: `Decides anew from the API's objects what this node should do, with the settings of the proxy that runs here, and compares
it with the kernel. Nothing is changed. The exit code is 1 when something differs; a change that is just on its way can
be among it.`,
  options,
  examples: [
    { command: 'sudo fairlead proxy diff', does: 'Everything that is missing, left over or different' },
    { command: 'sudo fairlead proxy diff shop/cart', does: 'Of one Service' },
  ],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { args, options, stdout, stderr, env } = context;
  await using connection = await connect(context);
  const reader = await readerOf(connection, context.signal);
  const [{ readIntent }, { aspectText, differencesBetween, withoutGrowth }] = await Promise.all([
    import('./proxy-view/intent.ts'),
    import('../proxy/differences.ts'),
  ]);
  const intent = await readIntent(reader, options.node, undefined);
  const plane = await requirePlane(context);
  // What follows may come of a flag that cannot be known.
  if (intent.record === undefined) {
    stderr.write('No proxy runs here for this node: compared with what one without flags would do.\n');
  }
  const wanted = intent.frontends.filter((frontend) => isChosen(frontend, args));
  const found = plane.frontends.filter((frontend) => isChosen(frontend, args));
  if (wanted.length + found.length === 0 && args.length > 0) throw noSuchFrontend(args);
  const differences = differencesBetween(wanted, found)
    .map((difference) => withoutGrowth(difference, intent.startingSlowly.has(difference.service)))
    .filter((difference) => difference !== undefined);
  if (options.output === 'json') {
    const report = { plane: plane.name, node: intent.nodeName, wanted: wanted.length, differences };
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return exitOf(differences);
  }
  const paint = palette(stdout, env);
  const rows = differences.map(({ kind, key, service, aspects }) => [
    kind,
    key,
    service || '<unknown>',
    aspects.map(aspectText).join(' | '),
  ]);
  const lines = alignRows(rows).map((line, at) => colour(line.trimEnd(), differences[at]?.kind, paint));
  stdout.write([...lines, summary(wanted.length, differences.length, plane.name, paint), ''].join('\n'));
  return exitOf(differences);
}

function exitOf(differences: readonly Difference[]): ExitCode {
  return differences.length === 0 ? exitCodes.ok : exitCodes.failure;
}

function colour(line: string, kind: Difference['kind'] | undefined, paint: Palette): string {
  return kind === 'extra' ? paint.yellow(line) : paint.red(line);
}

function summary(wanted: number, different: number, plane: string, paint: Palette): string {
  const all = `${wanted} ${wanted === 1 ? 'frontend' : 'frontends'} wanted`;
  if (different === 0) return paint.green(`${all}, in force exactly so (${plane})`);
  return `${all}; ${different} ${different === 1 ? 'is' : 'are'} not as wanted (${plane})`;
}
