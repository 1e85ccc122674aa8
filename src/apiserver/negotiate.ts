import { notAcceptable } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { IncludeObject, MetaVersion } from '../api/table.ts';
import { partialObject, toTable } from '../api/table.ts';
import type { Form } from './cache/form.ts';
import { convertingForm, encodeBookmark, joinList, plainForm } from './cache/form.ts';
import type { Item } from './cache/item.ts';
import type { Incoming } from './exchange.ts';
import type { RequestInfo } from './request-info.ts';

/** One media range of an `Accept` header. */
export interface MediaRange {
  /** In lower case, without parameters. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads an `Accept` header, best first. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  const ranges = (header || '*/*')
    .split(',')
    .map(parseRange)
    .filter((range) => range.type !== '');
  return ranges.toSorted((a, b) => Number(b.parameters['q'] ?? 1) - Number(a.parameters['q'] ?? 1));
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = rest.map((part): [string, string] => {
    const at = part.indexOf('=');
    return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
  });
  return { type: type.toLowerCase(), parameters: Object.fromEntries(parameters) };
}

const jsonTypes: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
const acceptedTypes = ['application/json', 'application/json;as=Table', 'application/json;as=PartialObjectMetadata'];

/**
 * Chooses the form of the answer: JSON always, whole or as Table, PartialObjectMetadata or PartialObjectMetadataList. A
 * client that offers only what we do not speak (protobuf answers) gets 406.
 */
export function negotiateForm(kind: Kind, info: RequestInfo, request: Incoming): Form {
  const isText = info.type === 'resource' && info.subresource === 'log';
  for (const range of parseAccept(request.headers['accept'])) {
    if (isText) return plainForm(kind);
    const form = jsonTypes.has(range.type) ? formOf(kind, range, request) : undefined;
    if (form !== undefined) return convertingForm(kind, form);
  }
  throw notAcceptable(acceptedTypes);
}

function formOf(kind: Kind, range: MediaRange, request: Incoming): Form | undefined {
  const { as, g, v } = range.parameters;
  if (as === undefined) return plainForm(kind);
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  if (as === 'Table') return tableForm(kind, v, includeOf(request.query.get('includeObject')));
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return partialForm(as, v);
  return undefined;
}

function includeOf(text: string | null): IncludeObject {
  return text === 'None' || text === 'Object' ? text : 'Metadata';
}

/** Rows for people: `kubectl get`. */
export function tableForm(kind: Kind, version: MetaVersion, include: IncludeObject): Form {
  const encode = (objects: readonly ApiObject[], metadata?: object) =>
    toTable(kind, objects, { now: Date.now(), include, version, metadata });
  const versionOf = (item: Item) => ({ resourceVersion: `${item.revision}` });
  return {
    id: `table ${version} ${include}`,
    mediaType: `application/json;as=Table;v=${version};g=meta.k8s.io`,
    one: (item) => toBytes(encode([item.object], versionOf(item))),
    event: (item, isFirst) => {
      const table = encode([item.object], versionOf(item));
      return toBytes(isFirst ? table : { ...table, columnDefinitions: null });
    },
    list: (items, meta) =>
      toBytes(
        encode(
          items.map((item) => item.object),
          meta,
        ),
      ),
    bookmark: (revision, annotations) => {
      const marker = encode([], { resourceVersion: `${revision}` });
      const object = annotations && {
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${version}`,
        metadata: { resourceVersion: `${revision}`, annotations },
      };
      return toBytes({ ...marker, columnDefinitions: null, rows: object ? [{ cells: [], object }] : [] });
    },
  };
}

/** Metadata alone, for clients that only look at labels or owners. */
export function partialForm(as: 'PartialObjectMetadata' | 'PartialObjectMetadataList', version: MetaVersion): Form {
  const encode = (item: Item) => toBytes(partialObject(item.object, version));
  const apiVersion = `meta.k8s.io/${version}`;
  return {
    id: `partial ${version}`,
    mediaType: `application/json;as=${as};v=${version};g=meta.k8s.io`,
    one: encode,
    event: encode,
    list: (items, meta) =>
      joinList(
        { kind: 'PartialObjectMetadataList', apiVersion },
        meta,
        items.map((item) => [encode(item)]),
      ),
    bookmark: (revision, annotations) =>
      encodeBookmark({ kind: 'PartialObjectMetadata', apiVersion }, revision, annotations),
  };
}

function toBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
