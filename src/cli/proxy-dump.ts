import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { palette } from './palette.ts';
import { isChosen, noSuchFrontend } from './proxy-view/chosen.ts';
import { requirePlane } from './proxy-view/plane-in-force.ts';
import { frontendTable } from './proxy-view/table.ts';

const options = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    choices: ['wide', 'json'],
    summary: 'wide adds policies and shares, json is for programs',
  },
} as const;

/** `fairlead proxy dump`. */
export const command = defineCommand({
  name: 'proxy dump',
  summary: 'Show what the data plane of this machine has in force',
  usage: ['proxy dump [SERVICE | ADDRESS…] [flags]'],
  description: `Reads the kernel, whichever plane programmed it and whether or not a proxy runs; nothing is changed, and no API server
is asked. SERVICE is NAME or NAMESPACE/NAME; ADDRESS is 10.96.0.10, 10.96.0.10:80 or *:30080 (a node port). CONNECTIONS
are those since the frontend is in force, where the plane counts them.`,
  options,
  examples: [
    { command: 'sudo fairlead proxy dump', does: 'Every frontend with its backends' },
    { command: 'sudo fairlead proxy dump shop/cart -o wide', does: 'One Service, with policies and shares' },
  ],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { args, options, stdout, env } = context;
  const plane = await requirePlane(context);
  const frontends = plane.frontends.filter((frontend) => isChosen(frontend, args));
  if (frontends.length === 0 && args.length > 0) throw noSuchFrontend(args);
  if (options.output === 'json') {
    const counted = frontends.map((frontend) => ({ ...frontend, ...plane.counters.get(frontend.key) }));
    stdout.write(`${JSON.stringify({ plane: plane.name, frontends: counted }, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  const [heading = '', ...lines] = frontendTable(frontends, plane, options.output === 'wide');
  const paint = palette(stdout, env);
  stdout.write(`${[paint.bold(heading), ...lines, '', summary(plane.name, frontends.length)].join('\n')}\n`);
  return exitCodes.ok;
}

function summary(plane: string, count: number): string {
  return `${count} ${count === 1 ? 'frontend' : 'frontends'} in force (${plane})`;
}
