import type { Command, OptionSpec, OptionTable } from './command.ts';
import type { Palette } from './palette.ts';

/** A command with the group of the list it stands in. */
export interface ListedCommand {
  readonly group: string;
  readonly command: Command;
}

const intro = `Kubernetes Services on this machine: stable names, stable addresses, balanced connections.`;

/** What `fairlead --help` prints: every command, grouped, in the order of the list. */
export function programHelp(commands: readonly ListedCommand[], paint: Palette): string {
  const width = Math.max(...commands.map(({ command }) => command.name.length));
  const lines = [intro, '', paint.bold('Usage'), '  fairlead COMMAND [flags]'];
  for (const group of new Set(commands.map(({ group }) => group))) {
    lines.push('', paint.bold(group));
    for (const { command } of commands.filter((listed) => listed.group === group)) {
      lines.push(`  ${command.name.padEnd(width)}  ${command.summary}`);
    }
  }
  lines.push('', 'fairlead COMMAND --help shows the flags and examples of a command.');
  return `${lines.join('\n')}\n`;
}

/** What `fairlead COMMAND --help` prints. */
export function commandHelp(command: Command, paint: Palette): string {
  const lines = [
    `${command.summary}.`,
    '',
    paint.bold('Usage'),
    ...command.usage.map((usage) => `  fairlead ${usage}`),
  ];
  if (command.description !== undefined) lines.push('', ...command.description.split('\n'));
  lines.push('', paint.bold('Flags'), ...optionLines(command.options));
  if (command.examples.length > 0) lines.push('', paint.bold('Examples'), ...exampleLines(command, paint));
  return `${lines.join('\n')}\n`;
}

function exampleLines(command: Command, paint: Palette): string[] {
  return command.examples.flatMap((example, i) => [
    ...(i > 0 ? [''] : []),
    `  ${paint.dim(`# ${example.does}`)}`,
    `  ${example.command}`,
  ]);
}

function optionLines(table: OptionTable): string[] {
  const help: OptionSpec = { type: 'boolean', short: 'h', summary: 'Show this help' };
  const rows = [...Object.entries(table), ['help', help] as const].map(([name, spec]) => ({
    left: optionLabel(name, spec),
    right: optionSummary(spec),
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return rows.map((row) => `  ${row.left.padEnd(width)}  ${row.right}`);
}

function optionLabel(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
  const switchedOff = spec.type === 'boolean' && spec.default === true ? `--[no-]${name}` : `--${name}`;
  return short + (spec.type === 'boolean' ? switchedOff : `--${name} ${spec.value}`);
}

function optionSummary(spec: OptionSpec): string {
  const notes: string[] = [];
  if (spec.type === 'string' && spec.choices !== undefined) notes.push(spec.choices.join(', '));
  if (spec.type === 'strings') notes.push('may be repeated');
  const fallback = defaultText(spec);
  if (fallback !== undefined && !spec.summary.includes('(default')) notes.push(`default ${fallback}`);
  return notes.length === 0 ? spec.summary : `${spec.summary} (${notes.join('; ')})`;
}

function defaultText(spec: OptionSpec): string | undefined {
  if (spec.type === 'boolean' || spec.type === 'strings' || spec.default === undefined) return undefined;
  return spec.type === 'duration' ? `${spec.default / 1000}s` : String(spec.default);
}
