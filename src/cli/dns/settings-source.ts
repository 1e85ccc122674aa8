import { globSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseResolvConf } from '../../agent/environment/resolv-conf.ts';
import { readCorefile } from '../../dns/settings/corefile/corefile.ts';
import { type Token, tokensOf } from '../../dns/settings/corefile/tokens.ts';
import { readSettingsFile } from '../../dns/settings/file/settings-file.ts';
import { SettingsError } from '../../dns/settings/settings-error.ts';
import type { DnsSettings } from '../../dns/settings/settings.ts';
import { unsupported } from '../../dns/settings/unsupported.ts';
import { errorText } from '../../observe/log.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where settings come from. */
export interface SettingsSource {
  /** Shown in errors; relative paths in the text start at its folder. */
  readonly path: string;
  readonly format: 'settings' | 'corefile';
  readonly environment: Environment;
}

export interface ReadSettings {
  readonly settings: DnsSettings;
  /** What was accepted but has no effect here. */
  readonly notes: readonly string[];
}

/** Reads a file of settings. Throws `CommandError` that says what is wrong and where. */
export function readSettings(source: SettingsSource): ReadSettings {
  try {
    return parseSettings(readFileSync(source.path, 'utf8'), source);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`${source.path}: ${errorText(cause)}`, { code: exitCodes.notFound, cause });
  }
}

/** The same for a text that is already here. */
export function parseSettings(text: string, source: SettingsSource): ReadSettings {
  const read = orCommandError(() => readText(text, source));
  const [first] = unsupported(read.settings);
  if (first !== undefined) throw new CommandError(`${source.path}: ${first}`);
  return read;
}

/** Runs a reader of settings; what is wrong with them becomes a `CommandError`. */
export function orCommandError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    throw new CommandError(cause.message, { cause });
  }
}

function readText(text: string, { path: file, format, environment }: SettingsSource): ReadSettings {
  const path = (each: string): string => (isAbsolute(each) ? each : join(dirname(resolve(file)), each));
  if (format === 'settings') return { settings: readSettingsFile(text, { file, path, resolvers }), notes: [] };
  return readCorefile(text, {
    file,
    environment,
    readImport: importer(path, environment),
    resolvers,
    searchList,
    path,
  });
}

/** What `import` names: a file, or all files that a pattern fits, which may be none. */
function importer(path: (each: string) => string, environment: Environment) {
  return (name: string, at: Token): readonly Token[] => {
    const files = /[*?[]/.test(name) ? globSync(path(name)).toSorted() : [path(name)];
    return files.flatMap((file) => {
      try {
        return tokensOf(readFileSync(file, 'utf8'), file, environment);
      } catch (error) {
        throw error instanceof SettingsError
          ? error
          : new SettingsError(at.file, at.line, `import: ${errorText(error)}`);
      }
    });
  };
}

/** Search list of this machine; none when it cannot be read. */
function searchList(): readonly string[] {
  try {
    return parseResolvConf(readFileSync('/etc/resolv.conf', 'utf8')).searches;
  } catch {
    return [];
  }
}

/** Addresses in a `resolv.conf`; undefined when it cannot be read. */
export function resolvers(path: string): readonly string[] | undefined {
  try {
    return parseResolvConf(readFileSync(path, 'utf8')).nameservers;
  } catch {
    return undefined;
  }
}
