import type { Infer } from '../schema.ts';
import { int32, kind, list, message, object, string } from '../schema.ts';
import { ObjectReference } from './references.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const EndpointAddress = message(
  'core.v1.EndpointAddress',
  {
    ip: string(1, { required: true }),
    hostname: string(3),
    nodeName: string(4, { pointer: true }),
    targetRef: object(2, ObjectReference),
  },
  { atomic: true },
);
export type EndpointAddress = Infer<typeof EndpointAddress>;

export const EndpointPort = message(
  'core.v1.EndpointPort',
  {
    name: string(1),
    port: int32(2, { required: true }),
    protocol: string(3, { values: ['TCP', 'UDP', 'SCTP'] }),
    appProtocol: string(4, { pointer: true }),
  },
  { atomic: true },
);
export type EndpointPort = Infer<typeof EndpointPort>;

export const EndpointSubset = message('core.v1.EndpointSubset', {
  addresses: list(1, EndpointAddress),
  notReadyAddresses: list(2, EndpointAddress),
  ports: list(3, EndpointPort),
});
export type EndpointSubset = Infer<typeof EndpointSubset>;

export const EndpointsMessage = message('core.v1.Endpoints', {
  ...typeMeta,
  metadata,
  subsets: list(2, EndpointSubset),
});
export type Endpoints = Infer<typeof EndpointsMessage>;

export const Endpoints = kind(EndpointsMessage, {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  namespaced: true,
  shortNames: ['ep'],
  createOnUpdate: true,
});
