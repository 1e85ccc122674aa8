import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { writeSettingsFile } from '../dns/settings/file/write-settings.ts';
import { readKubeDns } from '../dns/settings/kube-dns.ts';
import { errorText } from '../observe/log.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { orCommandError, parseSettings, type ReadSettings, resolvers } from './dns/settings-source.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** `fairlead dns import`. */
export const command = defineCommand({
  name: 'dns import',
  summary: 'Print the settings that a Corefile or a kube-dns ConfigMap stands for',
  usage: ['dns import FILE'],
  description:
    'FILE is a Corefile, a ConfigMap that holds one (key Corefile), or the ConfigMap of kube-dns (stubDomains,\n' +
    'upstreamNameservers). What has no effect here is said on standard error; what is not supported is an error that\n' +
    'names file and line.',
  options: {},
  examples: [
    { command: 'fairlead dns import Corefile > dns.yaml', does: 'Settings for fairlead dns --config dns.yaml' },
    { command: 'fairlead dns import coredns-configmap.yaml', does: 'The same from a ConfigMap' },
  ],
  run,
});

async function run({ args, cwd, env, stdout, stderr }: CommandContext<Record<never, never>>): Promise<ExitCode> {
  const [file, stray] = args;
  if (file === undefined || stray !== undefined) throw new UsageError('say which file: dns import Corefile');
  const text = readText(resolve(cwd, file), file);
  const { settings, notes } = importText(text, file, env);
  for (const note of notes) stderr.write(`${note}\n`);
  stdout.write(writeSettingsFile(settings));
  return exitCodes.ok;
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandError(`${name}: ${errorText(cause)}`, { code: exitCodes.notFound, cause });
  }
}

function importText(
  text: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadSettings {
  const data = configMapData(text);
  if (data === undefined) return parseSettings(text, { path, format: 'corefile', environment });
  const { Corefile: corefile } = data;
  if (corefile !== undefined)
    return parseSettings(corefile, { path: `${path}[Corefile]`, format: 'corefile', environment });
  return { settings: orCommandError(() => readKubeDns(data, path, resolvers)), notes: [] };
}

/** The data of the first ConfigMap of a YAML text; undefined for any other text. */
function configMapData(text: string): Record<string, string> | undefined {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return undefined;
  for (const document of documents) {
    if (document.errors.length > 0) return undefined;
    const object: unknown = document.toJS();
    if (typeof object !== 'object' || object === null || !('kind' in object) || object.kind !== 'ConfigMap') continue;
    const data = 'data' in object && typeof object.data === 'object' && object.data !== null ? object.data : {};
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]));
  }
  return undefined;
}
