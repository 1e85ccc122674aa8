import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Namespace } from '../api/core/namespace.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { serviceKeyOfSlice, serviceNameLabel } from '../routing/labels.ts';
import { objectKey } from '../routing/labels.ts';
import type { RecordChange } from './records.ts';
import { importedServiceLabel, sourceClusterLabel } from './service-import.ts';
import type { ServiceImport } from './service-import.ts';
import { isHeadless } from './service-names.ts';

/** The objects that names are made of. */
export interface DnsState {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly namespaces: readonly Namespace[];
  readonly imports: readonly ServiceImport[];
  /** Services with a cluster IP have names only while they have endpoints: their slices are kept too. */
  readonly hidesEmptyServices: boolean;
}

/**
 * The last known state on disk, so that a server that starts while the API is away answers at once. One JSON value a line:
 * a header with the version, one line per object with only the fields that names need, and a last line that counts them.
 */
const header = { fairlead: 'dns-state', version: 1 } as const;
const fileName = 'state.ndjson';
/** Written at a time, in characters: a millisecond's work. Queries are answered in between. */
const writeSize = 64 * 1024;

/** Writes the state into a folder: another file first, then renamed, so that there is always a whole one. */
export async function saveState(folder: string, state: DnsState): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    let text = '';
    for (const value of valuesOf(state)) {
      text += `${JSON.stringify(value)}\n`;
      if (text.length < writeSize) continue;
      await file.write(text);
      text = '';
    }
    await file.write(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** The state of a folder as changes; undefined when there is none, or none that this version can read whole. */
export async function loadState(folder: string): Promise<readonly RecordChange[] | undefined> {
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const [first, ...values] = text.trimEnd().split('\n').map(parseLine);
    const last = values.pop();
    const isWhole =
      first?.version === header.version && first.fairlead === header.fairlead && last?.end === values.length;
    return isWhole ? values.map(changeOf) : undefined;
  } catch {
    return undefined;
  }
}

/** A line of the file. This process wrote it, so its objects are taken as they are. */
interface Line {
  readonly fairlead?: string;
  readonly version?: number;
  readonly service?: Service;
  readonly slice?: EndpointSlice;
  readonly namespace?: Namespace;
  readonly import?: ServiceImport;
  readonly end?: number;
}

function parseLine(text: string): Line {
  return JSON.parse(text) as Line;
}

function changeOf({ service, slice, namespace, import: imported }: Line): RecordChange {
  if (service !== undefined) return { type: 'service', new: service };
  if (slice !== undefined) return { type: 'slice', new: slice };
  if (imported !== undefined) return { type: 'import', new: imported };
  return { type: 'namespace', new: namespace };
}

function* valuesOf({ services, slices, namespaces, imports, hidesEmptyServices }: DnsState): Generator<Line> {
  yield header;
  for (const { metadata, spec } of imports) {
    yield { import: { metadata: { name: metadata.name, namespace: metadata.namespace }, spec } };
  }
  const headless = new Set<string>();
  for (const namespace of namespaces)
    yield { namespace: { ...namespace, metadata: { name: namespace.metadata.name } } };
  for (const service of services) {
    if (isHeadless(service)) headless.add(objectKey(service));
    yield { service: slimService(service) };
  }
  let kept = 0;
  for (const slice of slices) {
    // Only the endpoints of headless Services have names that are kept.
    const isImported = imports.length > 0 && slice.metadata.labels?.[importedServiceLabel] !== undefined;
    if (!hidesEmptyServices && !isImported && !headless.has(serviceKeyOfSlice(slice) ?? '')) continue;
    kept += 1;
    yield { slice: slimSlice(slice) };
  }
  yield { end: imports.length + namespaces.length + services.length + kept };
}

function slimService({ metadata: { name, namespace }, spec }: Service): Service {
  const { type, clusterIP, clusterIPs, ports, externalName } = spec ?? {};
  return { metadata: { name, namespace }, spec: { type, clusterIP, clusterIPs, ports, externalName } };
}

const keptLabels = [serviceNameLabel, importedServiceLabel, sourceClusterLabel];

function slimSlice(slice: EndpointSlice): EndpointSlice {
  const { name, namespace, labels } = slice.metadata;
  return {
    metadata: {
      name,
      namespace,
      labels: Object.fromEntries(keptLabels.map((label) => [label, labels?.[label] ?? ''])),
    },
    addressType: slice.addressType,
    ports: slice.ports,
    endpoints: slice.endpoints?.map(({ addresses, conditions, hostname, zone, targetRef }) => ({
      addresses,
      conditions: { ready: conditions?.ready },
      hostname,
      zone,
      targetRef: targetRef && { name: targetRef.name },
    })),
  };
}
