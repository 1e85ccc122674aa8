import { UsageError } from './command-error.ts';
import type { Command, CommandEntry, CommandIo } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { commandHelp, programHelp } from './help.ts';
import { palette } from './palette.ts';
import { nearest, type ParsedArguments, parseArguments } from './parse.ts';
import { reportFailure } from './report-error.ts';

/** Runs one command line (`argv` without the program's name) and returns the exit code. Never throws. */
export async function runProgram(
  entries: readonly CommandEntry[],
  argv: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  const [first, ...others] = commandWords(entries, argv);
  try {
    if (first === undefined) return await printProgramHelp(entries, io, io.stderr, exitCodes.usage);
    if (first === '--help' || first === '-h') return await printProgramHelp(entries, io, io.stdout, exitCodes.ok);
    if (first === 'help') return await runHelp(entries, others, io);
    const command = await loadCommand(entries, first === '--version' ? 'version' : first);
    return await runCommand(entries, command, others, io);
  } catch (error) {
    if (error instanceof UsageError) return reportUsage(entries, error, first, io);
    return reportFailure(error, io);
  }
}

/** The command line with the name of a command as one word: that of `proxy dump` has two. */
function commandWords(entries: readonly CommandEntry[], argv: readonly string[]): readonly string[] {
  const [first, second, ...others] = argv;
  const double = `${first} ${second}`;
  return entries.some(({ name }) => name === double) ? [double, ...others] : argv;
}

async function printProgramHelp(
  entries: readonly CommandEntry[],
  io: CommandIo,
  output: CommandIo['stdout'],
  code: ExitCode,
): Promise<ExitCode> {
  const listed = await Promise.all(
    entries.map(async ({ group, load }) => ({ group, command: (await load()).command })),
  );
  output.write(programHelp(listed, palette(output, io.env)));
  return code;
}

async function runHelp(entries: readonly CommandEntry[], argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [name, stray] = commandWords(entries, argv);
  if (name !== undefined && stray !== undefined) throw noCommand(entries, `${name} ${stray}`);
  if (name === undefined) return await printProgramHelp(entries, io, io.stdout, exitCodes.ok);
  const command = await loadCommand(entries, name);
  io.stdout.write(commandHelp(command, palette(io.stdout, io.env)));
  return exitCodes.ok;
}

async function loadCommand(entries: readonly CommandEntry[], name: string): Promise<Command> {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined) return (await entry.load()).command;
  throw noCommand(entries, name);
}

function noCommand(entries: readonly CommandEntry[], name: string): UsageError {
  const names = entries.map((candidate) => candidate.name);
  const close = nearest(name, names);
  return new UsageError(`there is no command "${name}"`, close === undefined ? undefined : `did you mean ${close}?`);
}

async function runCommand(
  entries: readonly CommandEntry[],
  command: Command,
  argv: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  const parsed = parseArguments(command.options, argv);
  if (parsed.help) {
    io.stdout.write(commandHelp(command, palette(io.stdout, io.env)));
    return exitCodes.ok;
  }
  refuseArguments(entries, command, parsed);
  return await command.run({ ...io, options: parsed.options, args: parsed.args, rest: parsed.rest });
}

/** A command whose usage names no arguments takes none: a stray word is a mistake, never ignored. */
function refuseArguments(entries: readonly CommandEntry[], { name, usage }: Command, parsed: ParsedArguments): void {
  const [stray] = parsed.args;
  if (stray !== undefined && !usage.some((line) => namesArgument(line, name))) {
    throw subcommandsOf(entries, name).length > 0
      ? noSubcommand(entries, name, stray)
      : new UsageError(`${name} takes no arguments, but there is "${stray}"`);
  }
  const [beyond] = parsed.rest ?? [];
  if (beyond !== undefined && !usage.some((line) => line.includes(' -- ')))
    throw new UsageError(`${name} takes nothing after --, but there is "${beyond}"`);
}

/** Whether a line of usage has a word beside the command's name and flags. */
function namesArgument(line: string, name: string): boolean {
  const words = line.slice(name.length).trim().split(' ');
  return words.some((word) => word !== '' && word !== '[flags]' && !word.startsWith('-'));
}

/** The second words of the commands that begin with this one. */
function subcommandsOf(entries: readonly CommandEntry[], name: string): readonly string[] {
  return entries.flatMap((entry) => (entry.name.startsWith(`${name} `) ? [entry.name.slice(name.length + 1)] : []));
}

function noSubcommand(entries: readonly CommandEntry[], name: string, word: string): UsageError {
  const words = subcommandsOf(entries, name);
  const close = nearest(word, words);
  return new UsageError(
    `${name} takes no arguments, but there is "${word}"; its subcommands are ${words.join(' and ')}`,
    close === undefined ? undefined : `did you mean ${name} ${close}?`,
  );
}

function reportUsage(
  entries: readonly CommandEntry[],
  error: UsageError,
  name: string | undefined,
  io: CommandIo,
): ExitCode {
  const known = entries.some((entry) => entry.name === name);
  const code = reportFailure(error, io);
  io.stderr.write(`  see: fairlead ${known ? `${name} ` : ''}--help\n`);
  return code;
}
