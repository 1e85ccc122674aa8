import type { Backend } from '../routing/frontend.ts';

/** `10.244.0.3:8080`, `[fd00::3]:8080`: a backend's name everywhere in the planes. */
export function backendName(backend: Pick<Backend, 'address' | 'port'>): string {
  return backend.address.includes(':') ? `[${backend.address}]:${backend.port}` : `${backend.address}:${backend.port}`;
}

/** Inverse of `backendName`. */
export function parseBackendName(name: string): { readonly address: string; readonly port: number } {
  const colon = name.lastIndexOf(':');
  return { address: name.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(name.slice(colon + 1)) };
}
