import { numberToIpv4 } from '../../src/lib/ip.ts';

/** Objects as a cluster of 5,000 nodes serves them, with everything that a real API server sends along. */

const firstServiceAddress = 0x0a600001;
const firstPodAddress = 0x0a800001;
const nodes = 5_000;

/** The node whose proxy is measured. */
export const ownNode = 'node-0';

/** CIDRs of the objects below, as `fairlead proxy` takes them. */
export const cidrs = { services: '10.96.0.0/16', pods: '10.128.0.0/9', ownPods: '10.128.0.0/24' } as const;

/** The cluster address of Service `number`. */
export function serviceAddress(number: number): string {
  return numberToIpv4(firstServiceAddress + number);
}

/** Service 0 is the one over UDP. */
function protocolOf(number: number): string {
  return number === 0 ? 'UDP' : 'TCP';
}

/** Service `shop/service-NUMBER`, port 80. */
export function serviceObject(number: number, revision: number): unknown {
  const address = serviceAddress(number);
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: `service-${number}`,
      namespace: 'shop',
      uid: uid(1, number),
      resourceVersion: String(revision),
      creationTimestamp: '2026-11-01T10:00:00Z',
      labels: { 'app.kubernetes.io/name': `service-${number}`, 'app.kubernetes.io/part-of': 'shop' },
      managedFields: [managed('kubectl-client-side-apply', ['f:ports', 'f:selector', 'f:type', 'f:sessionAffinity'])],
    },
    spec: {
      ports: [{ name: 'http', protocol: protocolOf(number), port: 80, targetPort: 8080 }],
      selector: { 'app.kubernetes.io/name': `service-${number}` },
      clusterIP: address,
      clusterIPs: [address],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  };
}

/** Where the endpoints of a slice are: by default Pods that exist nowhere. */
export interface SliceContent {
  readonly number: number;
  readonly addresses: readonly string[];
  readonly revision: number;
  /** ISO 8601: when the change was made that this slice shows. */
  readonly triggeredAt?: string;
}

/** Addresses of the Pods of Service `number`; another `generation` has another last one. */
export function podAddresses(number: number, endpoints: number, generation = 0): string[] {
  return Array.from({ length: endpoints }, (_, at) => {
    const replaced = at === endpoints - 1 ? generation * 4_000_000 : 0;
    return numberToIpv4(firstPodAddress + number * endpoints + at + replaced);
  });
}

/** The EndpointSlice of Service `number`. */
export function sliceObject({ number, addresses, revision, triggeredAt }: SliceContent): unknown {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {
      name: `service-${number}-x7k2p`,
      generateName: `service-${number}-`,
      namespace: 'shop',
      uid: uid(2, number),
      resourceVersion: String(revision),
      generation: 1,
      creationTimestamp: '2026-11-01T10:00:00Z',
      labels: {
        'app.kubernetes.io/name': `service-${number}`,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': `service-${number}`,
      },
      annotations: triggeredAt === undefined ? {} : { 'endpoints.kubernetes.io/last-change-trigger-time': triggeredAt },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: `service-${number}`,
          uid: uid(1, number),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [managed('kube-controller-manager', ['f:addressType', 'f:endpoints', 'f:ports'])],
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address, at) => endpointOf(address, number * addresses.length + at)),
    ports: [{ name: 'http', protocol: protocolOf(number), port: 8080 }],
  };
}

function endpointOf(address: string, pod: number): unknown {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'shop', name: `web-6d4cf56db6-${pod.toString(36)}`, uid: uid(3, pod) },
    nodeName: `node-${pod % nodes}`,
    zone: `zone-${pod % 3}`,
  };
}

function managed(manager: string, fields: readonly string[]): unknown {
  const entries = Object.fromEntries(fields.map((field) => [field, {}]));
  return {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-01T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {} } }, ...entries },
  };
}

function uid(kind: number, number: number): string {
  return `${String(kind).padStart(8, '0')}-5b1f-4c7e-9d3a-${number.toString(16).padStart(12, '0')}`;
}
