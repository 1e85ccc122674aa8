import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError, UsageError } from '../command-error.ts';
import type { CommandIo, Input } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { AnyObject } from './rest.ts';
import { parseYamlDocuments } from './yaml-text.ts';

/** An object from a manifest, and where it stands. */
export interface ManifestObject {
  readonly object: AnyObject & { readonly apiVersion: string; readonly kind: string };
  /** `examples/hello/service.yaml:12`, `stdin:1`. */
  readonly place: string;
}

/** Reads every object of files, folders (their .yaml, .yml and .json files) and `-`. Throws `CommandError`. */
export async function readManifests(
  paths: readonly string[],
  recursive: boolean,
  io: Pick<CommandIo, 'cwd' | 'stdin'>,
): Promise<readonly ManifestObject[]> {
  if (paths.length === 0) throw new UsageError('name a file, a folder or - for standard input: -f PATH');
  const objects: ManifestObject[] = [];
  for (const path of paths) {
    if (path === '-') objects.push(...parseManifest(await readAll(io.stdin()), 'stdin'));
    else for (const file of await filesOf(path, recursive, io.cwd)) objects.push(...(await readManifest(file, io.cwd)));
  }
  if (objects.length === 0) throw new CommandError(`no objects in ${paths.join(', ')}`);
  return objects;
}

async function readAll(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

async function readManifest(file: string, cwd: string): Promise<readonly ManifestObject[]> {
  return parseManifest(await readFile(resolve(cwd, file), 'utf8'), file);
}

async function filesOf(path: string, recursive: boolean, cwd: string): Promise<readonly string[]> {
  if (/^https?:/.test(path))
    throw new UsageError(`-f ${path}: addresses are not read; download it first, or pipe it to -f -`);
  const info = await stat(resolve(cwd, path)).catch((cause: unknown) => {
    throw new CommandError(`${path}: there is no such file or folder`, { code: exitCodes.notFound, cause });
  });
  if (!info.isDirectory()) return [path];
  const entries = await readdir(resolve(cwd, path), { recursive, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => join(path, entry.parentPath.slice(resolve(cwd, path).length), entry.name))
    .sort();
  if (files.length > 0) return files;
  throw new CommandError(`${path}: no .yaml, .yml or .json file in this folder`, {
    code: exitCodes.notFound,
    hint: recursive ? undefined : 'folders inside it are read with -R',
  });
}

/** The objects of one text: YAML documents, JSON, or a `List` of objects. Throws `CommandError` naming the line. */
export function parseManifest(text: string, source: string): readonly ManifestObject[] {
  const json = parseJson(text);
  if (json !== undefined) return expand(json, `${source}:1`);
  return parseYamlDocuments(text).flatMap((document) => {
    const place = `${source}:${document.line}`;
    if ('problem' in document) throw new CommandError(`${place}: ${document.problem}`);
    return expand(document.value, place);
  });
}

/** JSON may hold tabs, which YAML forbids. */
function parseJson(text: string): unknown {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function expand(value: unknown, place: string): readonly ManifestObject[] {
  const object = asObject(value, place);
  const items = object['items'];
  if (!object.kind.endsWith('List') || !Array.isArray(items)) return [{ object, place }];
  return items.flatMap((item: unknown, i) => expand(item, `${place} (item ${i + 1})`));
}

function asObject(value: unknown, place: string): ManifestObject['object'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CommandError(
      `${place}: a Kubernetes object was expected, not ${Array.isArray(value) ? 'a list' : typeof value}`,
    );
  }
  const { apiVersion, kind, metadata = {} } = value as Partial<AnyObject>;
  for (const [field, text] of Object.entries({ apiVersion, kind })) {
    if (typeof text !== 'string' || text === '') throw new CommandError(`${place}: ${field} is missing`);
  }
  return { ...value, apiVersion: String(apiVersion), kind: String(kind), metadata };
}
