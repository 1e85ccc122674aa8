import type { Service } from '../../src/api/core/service.ts';
import { serviceObject } from '../load/objects.ts';

/** Every server of a comparison answers the same names. */
export const zone = 'cluster.local';
export const namespace = 'shop';
export const ttlSeconds = 5;

/** Service `number` as a real API server sends it. */
export function benchService(number: number): Service {
  return serviceObject(number, number + 1) as Service;
}

/** `service-N.shop.svc.cluster.local`. */
export function nameOfService(number: number): string {
  return `service-${number}.${namespace}.svc.${zone}`;
}

/** A name that a search list makes of a name outside the cluster; `number` makes it one of many. */
export function missingName(number: number): string {
  return `www.example-${number}.com.${namespace}.svc.${zone}`;
}

/** Numbers from 0 (included) to 1, the same in every run (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lines for dnsperf: A questions of random Services, and a share (0-1) of names that do not exist. */
export function questions(count: number, services: number, missingShare: number): string {
  const random = randomFrom(1);
  const lines = Array.from({ length: count }, () => {
    const number = Math.floor(random() * services);
    return `${random() < missingShare ? missingName(number) : nameOfService(number)} A\n`;
  });
  return lines.join('');
}
