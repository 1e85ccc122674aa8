import type { Deployment } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import type { ConfigMap } from '../../api/core/config-map.ts';
import type { Namespace } from '../../api/core/namespace.ts';
import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Secret } from '../../api/core/secret.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { PodObject } from '../objects/pods-of.ts';
import type { AnyObject } from '../objects/rest.ts';
import { describeEndpointSlice } from './endpoint-slice.ts';
import type { Fields } from './fields.ts';
import { describeNode } from './node.ts';
import { describeAnything, describeConfigMap, describeNamespace, describeSecret } from './plain.ts';
import { describePod } from './pod.ts';
import { describeService } from './service.ts';
import { describeDeployment, describeReplicaSet } from './workloads.ts';

/** Reads what else belongs into a description. */
export interface Surroundings {
  /** Objects of a type in the namespace of the described one, or of all namespaces for a cluster-wide one. */
  list<T extends AnyObject>(
    type: string,
    selectors?: { readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<readonly T[]>;
  readonly nowMs: number;
}

/** Makes the description of one object of a kind. */
type Describer = (object: AnyObject, around: Surroundings) => Promise<Fields>;

/** The describers by kind; the cast trusts the server to send the kind that it says. */
const describers: Readonly<Record<string, Describer>> = {
  Pod: async (object, { nowMs }) => describePod(object as PodObject, nowMs),
  Service: async (object, around) => {
    const labelSelector = `kubernetes.io/service-name=${object.metadata.name}`;
    const slices = await around.list<AnyObject & EndpointSlice>('endpointslices', { labelSelector });
    return describeService(object as AnyObject & Service, slices);
  },
  EndpointSlice: async (object) => describeEndpointSlice(object as AnyObject & EndpointSlice),
  Deployment: async (object, around) => {
    const sets = await around.list<AnyObject & ReplicaSet>('replicasets');
    return describeDeployment(object as AnyObject & Deployment, ownedBy(object, sets), around.nowMs);
  },
  ReplicaSet: async (object, around) => {
    const pods = ownedBy(object, await around.list<PodObject>('pods'));
    const phases = Map.groupBy(pods, ({ status }) => status?.phase ?? 'Unknown');
    const counts = new Map([...phases].map(([phase, members]) => [phase, members.length]));
    return describeReplicaSet(object as AnyObject & ReplicaSet, counts, around.nowMs);
  },
  Node: async (object, around) => {
    const pods = await around.list<AnyObject & Pod>('pods', { fieldSelector: `spec.nodeName=${object.metadata.name}` });
    return describeNode(object as AnyObject & Node, pods, around.nowMs);
  },
  Namespace: async (object, { nowMs }) => describeNamespace(object as AnyObject & Namespace, nowMs),
  ConfigMap: async (object) => describeConfigMap(object as AnyObject & ConfigMap),
  Secret: async (object) => describeSecret(object as AnyObject & Secret),
};

/** The description of any object, without its events. */
export async function describeObject(object: AnyObject, around: Surroundings): Promise<Fields> {
  const describer = describers[object.kind ?? ''];
  return describer === undefined ? describeAnything(object) : await describer(object, around);
}

function ownedBy<T extends AnyObject>(owner: AnyObject, objects: readonly T[]): readonly T[] {
  return objects.filter(({ metadata }) =>
    (metadata.ownerReferences ?? []).some((reference) => reference.uid === owner.metadata.uid),
  );
}
