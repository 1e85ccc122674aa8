import type { Node } from '../../api/core/node.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { PodObject } from '../objects/pods-of.ts';
import type { RunRecord } from '../../proxy/run-record.ts';
import type { RunFile } from '../run-file.ts';

/** What was read from the API for `fairlead status`. */
export interface ClusterObjects {
  readonly nodes: readonly Node[];
  readonly pods: readonly PodObject[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

/** How much of something works, and what does not, by name. */
export interface Share {
  readonly total: number;
  readonly ready: number;
  readonly notReady: readonly string[];
}

/** What `fairlead status` knows; `-o json` prints it. */
export interface StatusReport {
  /** The `fairlead up` of this machine; undefined for another cluster. */
  readonly run: Omit<RunFile, 'version'> | undefined;
  readonly api: { readonly server: string; readonly version: string; readonly answeredInMs: number };
  readonly nodes: Share;
  readonly pods: Share;
  readonly services: Share;
}

/** The plane of a node may be changed while it runs: then its proxy knows better than the file of the start. */
export function withPlaneInForce(run: RunFile, proxy: RunRecord | undefined): RunFile {
  return proxy?.pid === run.pid ? { ...run, plane: { name: proxy.plane, reason: proxy.reason } } : run;
}

/** Counts what is ready among the objects of a cluster. */
export function countReady({
  nodes,
  pods,
  services,
  slices,
}: ClusterObjects): Pick<StatusReport, 'nodes' | 'pods' | 'services'> {
  const wanted = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const selecting = services.filter(({ spec }) => spec?.type !== 'ExternalName');
  const served = new Set(slices.filter(hasReadyEndpoint).map(serviceOf));
  return {
    nodes: share(nodes, (node) => isReady(node.status?.conditions)),
    pods: share(wanted, (pod) => isReady(pod.status?.conditions)),
    services: share(selecting, (service) => served.has(fullName(service))),
  };
}

interface Named {
  readonly metadata: { readonly namespace?: string; readonly name?: string };
}

function fullName({ metadata }: Named): string {
  return metadata.namespace === undefined ? (metadata.name ?? '') : `${metadata.namespace}/${metadata.name}`;
}

function share<T extends Named>(objects: readonly T[], works: (object: T) => boolean): Share {
  const notReady = objects.filter((object) => !works(object)).map(fullName);
  return { total: objects.length, ready: objects.length - notReady.length, notReady };
}

function isReady(conditions: readonly { readonly type: string; readonly status: string }[] | undefined): boolean {
  return (conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}

function hasReadyEndpoint({ endpoints }: EndpointSlice): boolean {
  return (endpoints ?? []).some(({ conditions }) => conditions?.ready ?? true);
}

function serviceOf({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
}
