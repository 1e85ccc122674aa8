import type { Namespace } from '../../api/core/namespace.ts';
import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { questionOf } from '../../dns/dig.ts';
import { explain } from '../../dns/explain.ts';
import {
  createMachineHasIpv6,
  isIpv6Range,
  nodeHasIpv6,
  serviceHasIpv6,
  sliceHasIpv6,
} from '../../dns/ipv6-evidence.ts';
import { createRecords } from '../../dns/records.ts';
import type { RecordChange } from '../../dns/records.ts';
import { clusterServer } from '../../dns/settings/cluster-server.ts';
import { typeNumbers } from '../../dns/wire/types.ts';
import type { Connection } from '../connection.ts';
import { listObjects } from '../objects/read.ts';
import { findResourceType, loadResourceTypes } from '../objects/resource-types.ts';
import type { AnyObject } from '../objects/rest.ts';

/** What the explanation needs to know of the cluster. */
export interface ExplainConfig {
  readonly clusterDomain: string;
  readonly cidrs: readonly string[];
  /** Of who asks. */
  readonly namespace: string;
}

/** Why a name gets the answer it gets, from the objects that the API has now. */
export async function explainName(
  connection: Connection,
  config: ExplainConfig,
  question: { readonly name: string; readonly type: string | undefined },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { name, type } = questionOf(question.name, question.type);
  const { transport } = connection;
  const types = await loadResourceTypes(transport, signal);
  const list = async <T extends AnyObject>(word: string) =>
    (await listObjects<T>(transport, { type: findResourceType(types, word), namespace: undefined }, signal)).items;
  const [services, slices, namespaces, pods, nodes] = await Promise.all([
    list<AnyObject & Service>('services'),
    list<AnyObject & EndpointSlice>('endpointslices'),
    list<AnyObject & Namespace>('namespaces'),
    list<AnyObject & Pod>('pods'),
    type === typeNumbers.AAAA ? list<AnyObject & Node>('nodes') : [],
  ]);
  const changes: RecordChange[] = [
    ...namespaces.map((object) => ({ type: 'namespace', new: object }) as const),
    ...services.map((object) => ({ type: 'service', new: object }) as const),
    ...slices.map((object) => ({ type: 'slice', new: object }) as const),
    ...pods.map((object) => ({ type: 'pod', new: object }) as const),
  ];
  const records = createRecords(config);
  records.apply(changes, 0);
  const hasIpv6 =
    config.cidrs.some(isIpv6Range) ||
    services.some(serviceHasIpv6) ||
    slices.some(sliceHasIpv6) ||
    nodes.some(nodeHasIpv6) ||
    createMachineHasIpv6(Date.now)();
  const [settings] = clusterServer({ ...config, listen: [] }).servers;
  return explain({ records, settings, hasIpv6, asker: config.namespace }, name, type);
}
