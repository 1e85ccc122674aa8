import type { Pod } from '../api/core/pod.ts';
import type { Service, ServicePort } from '../api/core/service.ts';
import { podAddresses, readyCondition } from './pods.ts';

/** Rules about a Service and a Pod behind it that EndpointSlices and Endpoints share. Pure. */

export type Family = 'IPv4' | 'IPv6';

export function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** Does the Service leave its endpoints to the controllers? */
export function isManaged({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0;
}

/** Has no virtual address: `clusterIP: None`. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

/** The address families of the Service, primary first. Objects from before dual stack tell it by their address. */
export function familiesOf({ spec }: Service): readonly Family[] {
  const declared = (spec.ipFamilies ?? []).filter((family): family is Family => family === 'IPv4' || family === 'IPv6');
  if (declared.length > 0) return declared;
  const address = spec.clusterIP ?? '';
  return [address === '' || address === 'None' ? 'IPv4' : familyOf(address)];
}

/** The Pod's first address of that family. */
export function podAddress(pod: Pod, family: Family): string | undefined {
  return podAddresses(pod).find((address) => familyOf(address) === family);
}

/**
 * The number behind a Service port on this Pod: a number as it is, a name looked up on the containers and on the init
 * containers that keep running (sidecars), with the same protocol. Undefined when the Pod has no such port.
 */
export function targetPortOn(pod: Pod, port: ServicePort): number | undefined {
  const { targetPort } = port;
  if (typeof targetPort === 'number') return targetPort === 0 ? port.port : targetPort;
  if (targetPort === undefined || targetPort === '') return port.port;
  const protocol = port.protocol ?? 'TCP';
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const candidates = [...pod.spec.containers, ...sidecars].flatMap(({ ports = [] }) => ports);
  return candidates.find((each) => each.name === targetPort && (each.protocol ?? 'TCP') === protocol)?.containerPort;
}

/** The name under which DNS shows the Pod: only when it names itself and this Service as its subdomain. */
export function endpointHostname(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/**
 * When the cause of a change happened, in Unix milliseconds: the Pod's readiness change when that is what changed, else
 * when it was seen. Condition times are whole seconds, so a change seen within that second happened when it was seen.
 */
export function podTriggerTimeMs(old: Pod | undefined, current: Pod | undefined, seenMs: number): number {
  const condition = current && readyCondition(current);
  const changedMs = Date.parse(condition?.lastTransitionTime ?? '');
  if (condition?.lastTransitionTime === (old && readyCondition(old)?.lastTransitionTime)) return seenMs;
  return seenMs >= changedMs + 1000 ? changedMs : seenMs;
}
