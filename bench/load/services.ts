import { execFileSync } from 'node:child_process';
import type { Service } from '../../src/api/core/service.ts';
import type { EndpointSlice } from '../../src/api/discovery/endpoint-slice.ts';
import { numberToIpv4 } from '../../src/lib/ip.ts';
import type { NodeNetwork } from '../../src/proxy/dataplane.ts';
import { testEndpoint, testService, testSlice } from '../../src/routing/fixtures.ts';
import { createRouter, type ObjectChange, type Router } from '../../src/routing/router.ts';

const firstServiceAddress = 0x0a600001;
const firstPodAddress = 0x0af40001;

/** The network of a node with room for 65,000 Services. */
export const network: NodeNetwork = {
  podCidrs: ['10.244.0.0/16'],
  clusterCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/16'],
  nodePortAddresses: [],
};

/** The cluster address of Service `number`. */
export function serviceAddress(number: number): string {
  return numberToIpv4(firstServiceAddress + number);
}

/** Service `shop/service-N` with a cluster address and one port. */
export function serviceOf(number: number): Service {
  const clusterIP = serviceAddress(number);
  return testService({ clusterIP, clusterIPs: [clusterIP] }, { name: `service-${number}` });
}

/** The address of Pod `number`; there are 65,534. */
export function podAddress(number: number): string {
  return numberToIpv4(firstPodAddress + (number % 0xfffe));
}

/** The endpoints of a Service, `endpoints` of them. */
export function sliceOf(number: number, endpoints: number): EndpointSlice {
  const addresses = Array.from({ length: endpoints }, (_, at) => podAddress(number * endpoints + at));
  return sliceWith(number, addresses);
}

/** The slice of a Service with these endpoints, each as `testEndpoint` reads it. */
export function sliceWith(number: number, endpoints: readonly string[]): EndpointSlice {
  const name = `service-${number}`;
  return testSlice(
    [],
    { endpoints: endpoints.map(testEndpoint) },
    {
      name: `${name}-1`,
      labels: { 'kubernetes.io/service-name': name },
    },
  );
}

/** A router that has read this many Services. */
export function routerOf(services: number, endpoints: number): Router {
  const router = createRouter({ nodeName: 'bench' });
  const changes: ObjectChange[] = Array.from({ length: services }, (_, number) => [
    { type: 'service', new: serviceOf(number) } as const,
    { type: 'slice', new: sliceOf(number, endpoints) } as const,
  ]).flat();
  router.apply(...changes);
  return router;
}

/** Whether a program is there to compare with. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
