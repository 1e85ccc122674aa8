import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { parseDuration } from '../../lib/duration.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { type FieldRule, type FieldType, kubeProxyFields } from './kube-proxy-fields.ts';

/** A KubeProxyConfiguration as read: what it says, by the path of the field. Durations are in milliseconds. */
export interface KubeProxyConfig {
  text(path: string): string | undefined;
  texts(path: string): readonly string[] | undefined;
  flag(path: string): boolean | undefined;
  number(path: string): number | undefined;
  /** Milliseconds; also of a field that is a duration. */
  duration(path: string): number | undefined;
  /** Fields that say something and have no effect here, each with the reason. */
  readonly idle: readonly { readonly path: string; readonly why: string }[];
}

const apiVersion = 'kubeproxy.config.k8s.io/v1alpha1';
const folders = new Set(Object.keys(kubeProxyFields).flatMap((path) => path.split('.').slice(0, -1)));

/**
 * Reads a KubeProxyConfiguration (YAML or JSON). Throws `CommandError` with the file, the line and the field for what is
 * unknown, of the wrong type or refused: what an operator wrote must never be passed over in silence. `name` is for those
 * messages.
 */
export function readKubeProxyConfig(text: string, name: string): KubeProxyConfig {
  return new Reading(text, name).read();
}

class Reading {
  readonly #text: string;
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #values = new Map<string, unknown>();
  readonly #idle: { path: string; why: string }[] = [];

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  read(): KubeProxyConfig {
    const document = parseDocument(this.#text, { lineCounter: this.#lines });
    const [problem] = document.errors;
    if (problem !== undefined) throw this.#error(problem.pos[0], problem.message.split('\n')[0] ?? '');
    if (!isMap(document.contents)) throw this.#error(0, `not a KubeProxyConfiguration`);
    this.#checkKind(document.contents);
    this.#takeMap(document.contents, '');
    const value = (path: string) => this.#values.get(path);
    return {
      text: (path) => value(path) as string | undefined,
      texts: (path) => value(path) as readonly string[] | undefined,
      flag: (path) => value(path) as boolean | undefined,
      number: (path) => value(path) as number | undefined,
      duration: (path) => value(path) as number | undefined,
      idle: this.#idle,
    };
  }

  #checkKind(map: YAMLMap): void {
    const said = { apiVersion: map.get('apiVersion'), kind: map.get('kind') };
    if (said.kind !== 'KubeProxyConfiguration') throw this.#error(0, 'kind is not KubeProxyConfiguration');
    if (said.apiVersion !== apiVersion) throw this.#error(0, `apiVersion is not ${apiVersion}`);
  }

  #takeMap(map: YAMLMap, prefix: string): void {
    for (const { key, value } of map.items) {
      const field = isScalar(key) ? String(key.value) : '';
      const path = `${prefix}${field}`;
      if (prefix === '' && (field === 'apiVersion' || field === 'kind')) continue;
      const rule = kubeProxyFields[path];
      const at = offsetOf(key) ?? 0;
      if (rule !== undefined) this.#takeField(path, rule, value as Node | null, at);
      else if (prefix === '' && folders.has(field)) this.#takeFolder(path, value as Node | null, at);
      else throw this.#error(at, `${path}: there is no such field`);
    }
  }

  #takeFolder(path: string, value: Node | null, at: number): void {
    if (isMap(value)) this.#takeMap(value, `${path}.`);
    else if (!isNull(value)) throw this.#error(at, `${path}: must hold fields`);
  }

  /** What says nothing (`null`, `""`, no elements) counts as absent, as it does for kube-proxy. */
  #takeField(path: string, { type, idle, refused }: FieldRule, node: Node | null, at: number): void {
    if (isNull(node)) return;
    const value = valueOf(type, node);
    if (value === undefined) throw this.#error(at, `${path}: must be ${typeNames[type]}`);
    if (value === '' || (Array.isArray(value) && value.length === 0)) return;
    const objection = refused?.(value);
    if (objection !== undefined) throw this.#error(at, `${path}: ${objection}`);
    this.#values.set(path, value);
    if (idle !== undefined && value !== false && value !== 0) this.#idle.push({ path, why: idle });
  }

  #error(offset: number, message: string): CommandError {
    const { line } = this.#lines.linePos(offset);
    return new CommandError(`${this.#name}, line ${line}: ${message}`, { code: exitCodes.usage });
  }
}

const typeNames: Readonly<Record<FieldType, string>> = {
  text: 'a text',
  texts: 'a list of texts',
  flag: 'true or false',
  flags: 'names with true or false',
  number: 'a number',
  duration: 'a duration such as 30s, 5m or 1h',
  anything: 'there',
};

/** The value in the form of its type; undefined when it has another. */
function valueOf(type: FieldType, node: Node): unknown {
  const value: unknown = node.toJSON();
  switch (type) {
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'texts':
      return isSeq(node) && Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'flags':
      return isMap(node) ? value : undefined;
    case 'number':
      return typeof value === 'number' ? value : undefined;
    case 'duration':
      return value === 0 ? 0 : typeof value === 'string' ? parseDuration(value) : undefined;
    case 'anything':
      return value;
  }
}

function isNull(node: Node | null): node is null {
  return node === null || (isScalar(node) && node.value === null);
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) ? node.range?.[0] : undefined;
}
