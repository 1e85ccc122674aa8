import { LoadBalancerStatus } from '../../api/core/service.ts';
import { kind, list, message, object, string } from '../../api/declare.ts';
import { Condition } from '../../api/meta/condition.ts';
import { metadata, typeMeta } from '../../api/meta/object-meta.ts';
import type { Infer, Kind } from '../../api/schema.ts';

/** Kinds that lead requests from outside by the host they are for. Of their fields only those that names need are declared. */

const IngressRule = message('networking.v1.IngressRule', { host: string(1) });
const IngressSpec = message('networking.v1.IngressSpec', { rules: list(3, IngressRule) });
const IngressStatus = message('networking.v1.IngressStatus', { loadBalancer: object(1, LoadBalancerStatus) });
const IngressMessage = message('networking.v1.Ingress', {
  ...typeMeta,
  metadata,
  spec: object(2, IngressSpec),
  status: object(3, IngressStatus),
});
export type Ingress = Infer<typeof IngressMessage>;

export const Ingress = kind(IngressMessage, {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
});

const Listener = message('gateway.v1.Listener', { name: string(1), hostname: string(2) });
const GatewaySpec = message('gateway.v1.GatewaySpec', { listeners: list(1, Listener) });
const GatewayStatusAddress = message('gateway.v1.GatewayStatusAddress', { type: string(1), value: string(2) });
const GatewayStatus = message('gateway.v1.GatewayStatus', { addresses: list(1, GatewayStatusAddress) });
const GatewayMessage = message('gateway.v1.Gateway', {
  ...typeMeta,
  metadata,
  spec: object(2, GatewaySpec),
  status: object(3, GatewayStatus),
});
export type Gateway = Infer<typeof GatewayMessage>;

const gatewayApi = { group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true } as const;

export const Gateway = kind(GatewayMessage, { ...gatewayApi, kind: 'Gateway', plural: 'gateways' });

const ParentReference = message('gateway.v1.ParentReference', {
  group: string(1),
  kind: string(2),
  namespace: string(3),
  name: string(4),
});
const RouteParentStatus = message('gateway.v1.RouteParentStatus', {
  parentRef: object(1, ParentReference),
  conditions: list(2, Condition),
});
const RouteSpec = message('gateway.v1.HTTPRouteSpec', {
  parentRefs: list(1, ParentReference),
  hostnames: list(2, 'string'),
});
const RouteStatus = message('gateway.v1.RouteStatus', { parents: list(1, RouteParentStatus) });
const RouteMessage = message('gateway.v1.HTTPRoute', {
  ...typeMeta,
  metadata,
  spec: object(2, RouteSpec),
  status: object(3, RouteStatus),
});
/** What routes of every protocol have in common. */
export type Route = Infer<typeof RouteMessage>;

/** Routes with hostnames, by protocol. */
export const routeKinds: readonly Kind<Route>[] = [
  kind(RouteMessage, { ...gatewayApi, kind: 'HTTPRoute', plural: 'httproutes' }),
  kind(RouteMessage, { ...gatewayApi, kind: 'GRPCRoute', plural: 'grpcroutes' }),
];
