import { LineCounter, parseAllDocuments } from 'yaml';
import type { Tags } from 'yaml';

/** One document of a YAML stream, or what is wrong with it. Lines count from 1. */
export type YamlDocument =
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly problem: string };

/** Scalars that YAML 1.1 turns into dates, base-60 numbers and the like, and that Kubernetes reads as text. */
const notInKubernetes = /timestamp|binary|omap|pairs|set$/;

/**
 * The documents of a YAML stream, read as Kubernetes reads them: YAML 1.1 (`yes` is a boolean, `0644` is octal), but no
 * dates and no base-60 numbers. Empty documents are left out.
 */
export function parseYamlDocuments(text: string): readonly YamlDocument[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: kubernetesTags,
    lineCounter,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document): YamlDocument[] => {
    const [error] = document.errors;
    if (error !== undefined) return [{ line: lineCounter.linePos(error.pos[0]).line, problem: error.message }];
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    return [{ line: lineCounter.linePos(document.contents?.range?.[0] ?? document.range[0]).line, value }];
  });
}

function kubernetesTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (!notInKubernetes.test(tag.tag) && !isBase60(tag)));
}

function isBase60(tag: Exclude<Tags[number], string>): boolean {
  return 'format' in tag && tag.format === 'TIME';
}
