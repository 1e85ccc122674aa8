import { Deployment } from './apps/deployment.ts';
import { ReplicaSet } from './apps/replica-set.ts';
import { SelfSubjectReview } from './authentication/self-subject-review.ts';
import { TokenRequest } from './authentication/token-request.ts';
import { TokenReview } from './authentication/token-review.ts';
import { SelfSubjectAccessReview } from './authorization/self-subject-access-review.ts';
import { SelfSubjectRulesReview } from './authorization/self-subject-rules-review.ts';
import { LocalSubjectAccessReview, SubjectAccessReview } from './authorization/subject-access-review.ts';
import { Scale } from './autoscaling/scale.ts';
import { Lease } from './coordination/lease.ts';
import { Binding } from './core/binding.ts';
import { ConfigMap } from './core/config-map.ts';
import { Endpoints } from './core/endpoints.ts';
import { Event } from './core/event.ts';
import { Namespace } from './core/namespace.ts';
import { Node } from './core/node.ts';
import { Pod } from './core/pod.ts';
import { ReplicationController } from './core/replication-controller.ts';
import { Secret } from './core/secret.ts';
import { ServiceAccount } from './core/service-account.ts';
import { Service } from './core/service.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';
import { Event as GroupEvent } from './events/event.ts';
import { IPAddress } from './networking/ip-address.ts';
import { ServiceCIDR } from './networking/service-cidr.ts';
import { Eviction } from './policy/eviction.ts';
import type { Kind } from './schema.ts';

/** Every kind that the API server knows, in the order that discovery lists them. */
export const kinds: readonly Kind[] = [
  Binding,
  ConfigMap,
  Endpoints,
  Event,
  Namespace,
  Node,
  Pod,
  ReplicationController,
  Secret,
  ServiceAccount,
  Service,
  Deployment,
  ReplicaSet,
  GroupEvent,
  SelfSubjectReview,
  TokenRequest,
  TokenReview,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  Scale,
  Eviction,
  IPAddress,
  ServiceCIDR,
  Lease,
  EndpointSlice,
];

/** Kinds that exist only as the body of another kind's subresource. They have no URL of their own. */
const subresourceKinds: readonly Kind[] = [TokenRequest, Scale, Eviction];

/** The kinds that have a URL of their own: `/apis/<group>/<version>/…/<plural>`. */
export const servedKinds: readonly Kind[] = kinds.filter((kind) => !subresourceKinds.includes(kind));

const byResource = new Map(servedKinds.map((kind) => [`${kind.apiVersion}/${kind.plural}`, kind]));
const byKind = new Map(kinds.map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind]));

/** The kind served at `plural` of a group and version; undefined when there is none. */
export function kindOfResource(group: string, version: string, plural: string): Kind | undefined {
  return byResource.get(`${group === '' ? version : `${group}/${version}`}/${plural}`);
}

/** The kind that an object with this `apiVersion` and `kind` is; undefined when it is not known. */
export function kindOfObject(apiVersion: string, kind: string): Kind | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}
