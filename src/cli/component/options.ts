import { createLogger } from '../../observe/log.ts';
import type { Logger } from '../../observe/log.ts';
import type { CommandIo, OptionTable } from '../command.ts';

/** The flags of every command that runs a part of the system. */
export const logOptions = {
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'warn',
    summary: 'What to log on standard error (default: warn)',
  },
  'log-format': {
    type: 'string',
    value: 'FORMAT',
    choices: ['text', 'json'],
    default: 'text',
    summary: 'text for people, json for collectors (default: text)',
  },
} as const satisfies OptionTable;

interface LogFlags {
  readonly 'log-level': 'debug' | 'info' | 'warn' | 'error';
  readonly 'log-format': 'text' | 'json';
}

/** A logger on standard error as the flags say. */
export function loggerOf(component: string, flags: LogFlags, { stderr }: Pick<CommandIo, 'stderr'>): Logger {
  return createLogger({ component, level: flags['log-level'], format: flags['log-format'], out: stderr });
}
