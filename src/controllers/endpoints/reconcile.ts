import type { Endpoints } from '../../api/core/endpoints.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Service } from '../../api/core/service.ts';
import { sameJson } from '../../lib/json.ts';
import { isPodReady, isPodTerminal, isPodTerminating, podAddresses } from '../pods.ts';
import { endpointHostname, familiesOf, isHeadless, isManaged, podAddress, targetPortOn } from '../service-endpoints.ts';
import { packSubsets, truncateSubsets } from './subsets.ts';
import type { AddressedPorts } from './subsets.ts';

const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const headlessLabel = 'service.kubernetes.io/headless';
export const managedByLabel = 'endpoints.kubernetes.io/managed-by';
export const managedBy = 'endpoint-controller';

export interface EndpointsInput {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly endpoints: Endpoints | undefined;
  /** When the oldest cause of this pass happened, in Unix milliseconds. */
  readonly triggerTimeMs?: number;
}

/** The Endpoints to create or update; undefined when they are right, or not ours to keep. */
export function reconcileEndpoints(input: EndpointsInput): Endpoints | undefined {
  const { service, pods, endpoints, triggerTimeMs } = input;
  if (!isManaged(service) || service.metadata.deletionTimestamp !== undefined) return undefined;
  const entries = pods.flatMap((pod) => addressedPorts(service, pod));
  const { subsets, isTruncated } = truncateSubsets(packSubsets(entries));
  const labels = labelsOf(service);
  const {
    [triggerTimeAnnotation]: _time,
    [overCapacityAnnotation]: capacity,
    ...annotations
  } = endpoints?.metadata.annotations ?? {};
  const isSame =
    endpoints !== undefined &&
    sameJson(endpoints.subsets ?? [], subsets) &&
    sameJson(endpoints.metadata.labels ?? {}, labels) &&
    (capacity === 'truncated') === isTruncated;
  if (isSame) return undefined;
  const { name, namespace } = service.metadata;
  const written = {
    ...annotations,
    ...(triggerTimeMs === undefined ? {} : { [triggerTimeAnnotation]: new Date(triggerTimeMs).toISOString() }),
    ...(isTruncated ? { [overCapacityAnnotation]: 'truncated' } : {}),
  };
  return { metadata: { ...(endpoints?.metadata ?? { name, namespace }), labels, annotations: written }, subsets };
}

function labelsOf(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}), [managedByLabel]: managedBy };
}

/** The Pod's place among the Endpoints: none when it has finished, is leaving, or has no address of the Service's family. */
function addressedPorts(service: Service, pod: Pod): AddressedPorts[] {
  const publishNotReady = service.spec.publishNotReadyAddresses ?? false;
  const ip = primaryAddress(service, pod);
  if (ip === undefined || isPodTerminal(pod) || (isPodTerminating(pod) && !publishNotReady)) return [];
  const { name, namespace, uid } = pod.metadata;
  const hostname = endpointHostname(service, pod);
  const address = {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
  const ports = (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOn(pod, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    const named = name === '' ? {} : { name };
    return [{ ...named, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
  const isPortless = (service.spec.ports ?? []).length === 0 && isHeadless(service);
  if (ports.length === 0 && !isPortless) return [];
  return [{ address, isReady: publishNotReady || isPodReady(pod), ports }];
}

/** Of the Service's primary family; a headless Service that names none takes the Pod's first. */
function primaryAddress(service: Service, pod: Pod): string | undefined {
  if (isHeadless(service) && (service.spec.ipFamilies ?? []).length === 0) return podAddresses(pod)[0];
  const [family] = familiesOf(service);
  return family && podAddress(pod, family);
}
