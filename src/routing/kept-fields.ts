import { Service } from '../api/core/service.ts';
import { type Endpoint, type EndpointConditions, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject, ObjectMeta } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';

/**
 * What a process that only routes keeps of the objects it reads: nothing that this folder, or an event about them, does
 * not need. Half of the memory of an EndpointSlice.
 */
export function keepForRouting<T extends ApiObject>(kind: Kind<T>, object: T): T {
  try {
    const kept = { ...object, metadata: keepMetadata(object.metadata) };
    // The kind says which type the object has.
    if (kind.kind === EndpointSlice.kind) return keepSlice(kept as EndpointSlice) as ApiObject as T;
    if (kind.kind === Service.kind) return keepService(kept as Service) as ApiObject as T;
    return kept;
  } catch {
    // Not of its type: whoever reads it has to say so.
    return object;
  }
}

function keepMetadata(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _fields, ownerReferences: _owners, generateName: _name, ...kept } = metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': applied, ...annotations } = kept.annotations ?? {};
  return applied === undefined ? kept : { ...kept, annotations };
}

function keepService(service: Service): Service {
  if (service.spec?.selector === undefined) return service;
  const { selector: _selector, ...spec } = service.spec;
  return { ...service, spec };
}

function keepSlice(slice: EndpointSlice): EndpointSlice {
  return { ...slice, endpoints: slice.endpoints?.map(keepEndpoint) };
}

function keepEndpoint({ addresses, conditions, nodeName, hints, targetRef }: Endpoint): Endpoint {
  return {
    addresses: addresses.slice(0, 1),
    conditions: conditions && sharedConditions(conditions),
    nodeName,
    hints,
    targetRef: targetRef && { kind: targetRef.kind, namespace: targetRef.namespace, name: targetRef.name },
  };
}

const usual: readonly EndpointConditions[] = [
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: false, terminating: false },
];

/** Nearly all endpoints have one of two conditions. */
function sharedConditions(conditions: EndpointConditions): EndpointConditions {
  const same = usual.find(
    ({ ready, serving, terminating }) =>
      ready === conditions.ready && serving === conditions.serving && terminating === conditions.terminating,
  );
  return same ?? conditions;
}
