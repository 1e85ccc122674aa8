import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { dataOption, defaultDataFolder } from './data-folder.ts';
import type { Finding } from './doctor/checks.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { palette } from './palette.ts';
import type { Palette } from './palette.ts';
import { isRunning } from './run-file.ts';
import { findRunFile } from './running.ts';

const options = {
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json'], summary: 'How to print' },
  ...dataOption,
} as const;

/** `fairlead doctor`. */
export const command = defineCommand({
  name: 'doctor',
  summary: 'Look at this machine: what is missing, why it matters, what to do',
  usage: ['doctor [flags]'],
  description: 'Changes nothing. The exit code is 8 when something does not work, else 0.',
  options,
  examples: [{ command: 'fairlead doctor -o json', does: 'For a script, or to send along with a question' }],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const [{ checks }, { thisHost }] = await Promise.all([import('./doctor/checks.ts'), import('./doctor/host.ts')]);
  const found = findRunFile(context.options, context);
  const running = found !== undefined && isRunning(found) ? found : undefined;
  const host = thisHost(context, running, context.options.data ?? defaultDataFolder(context));
  const findings: Finding[] = [];
  for (const check of checks) findings.push(await check(host));
  if (context.options.output === 'json') context.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else context.stdout.write(formatFindings(findings, palette(context.stdout, context.env)));
  return findings.some(({ state }) => state === 'fail') ? exitCodes.unsupported : exitCodes.ok;
}

/** One line per check, and below it what to do where something is wrong. */
export function formatFindings(findings: readonly Finding[], paint: Palette): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const marks = { ok: paint.green('ok  '), warn: paint.yellow('warn'), fail: paint.red('fail') };
  const indent = ' '.repeat(width + 8);
  const lines = findings.flatMap(({ check, state, found, why, todo }) => [
    `${marks[state]}  ${check.padEnd(width)}  ${found}`,
    ...(why === undefined ? [] : [`${indent}${why}`]),
    ...(todo === undefined ? [] : [`${indent}${paint.bold('→')} ${todo}`]),
  ]);
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  return `${lines.join('\n')}\n\n${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures\n`;
}
