import type { Container } from '../../api/core/pod/container.ts';

/** The number of a probe's or hook's port: itself, a port of the container by name, or a number as text. */
export function resolvePort(container: Container, port: number | string): number {
  if (typeof port === 'number') return checked(port);
  const named = container.ports?.find(({ name }) => name === port);
  if (named !== undefined) return checked(named.containerPort);
  if (!/^\d+$/.test(port)) throw new Error(`couldn't find port: ${port}`);
  return checked(Number(port));
}

function checked(port: number): number {
  if (port < 1 || port > 65_535) throw new Error(`invalid port number: ${port}`);
  return port;
}
