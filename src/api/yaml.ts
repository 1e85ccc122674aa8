import type { Document, Tags } from 'yaml';
import { isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { ApiError, badRequest } from './errors.ts';

/** YAML as Kubernetes reads it: YAML 1.1 booleans, no times, no binary, JSON's data model. */

/** A document as JSON values, with the paths of keys that occur twice in one mapping. */
export interface YamlDocument {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

const foreignTags = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:set',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
]);

function jsonTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !(foreignTags.has(tag.tag) || isSexagesimal(tag)));
}

function isSexagesimal(tag: object): boolean {
  return 'format' in tag && tag.format === 'TIME';
}

function duplicatesOf(node: unknown, path: string): readonly string[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => duplicatesOf(item, `${path}[${index}]`));
  if (!isMap(node)) return [];
  const seen = new Set<string>();
  return node.items.flatMap((pair) => {
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    const where = path === '' ? key : `${path}.${key}`;
    const own = seen.has(key) ? [where] : [];
    seen.add(key);
    return [...own, ...duplicatesOf(pair.value, where)];
  });
}

function toJson(document: Document): YamlDocument {
  const [error] = document.errors;
  if (error !== undefined) throw badRequest(`error converting YAML to JSON: yaml: ${error.message.split('\n')[0]}`);
  return { value: document.toJS({ maxAliasCount: 100 }), duplicates: duplicatesOf(document.contents, '') };
}

/** All documents of a stream that are not empty. Throws `ApiError` 400 on bad YAML. */
export function parseYamlDocuments(text: string): readonly YamlDocument[] {
  try {
    return parseAll(text);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(`error converting YAML to JSON: ${String(error)}`);
  }
}

function parseAll(text: string): readonly YamlDocument[] {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    customTags: jsonTags,
    merge: true,
    logLevel: 'error',
  });
  if (!Array.isArray(documents)) return [];
  return documents.filter((document) => document.contents !== null).map(toJson);
}

/** The one document of a text. Throws `ApiError` 400 when it is not YAML. */
export function parseYaml(text: string): YamlDocument {
  return parseYamlDocuments(text)[0] ?? { value: null, duplicates: [] };
}
