import { clusterServer } from './cluster-server.ts';
import { SettingsError } from './settings-error.ts';
import type { DnsSettings, ForwardSettings } from './settings.ts';
import { readUpstream } from './upstream-text.ts';
import { readZone, type Word } from './values.ts';

const known = ['stubDomains', 'upstreamNameservers', 'federations'];

/**
 * Settings of a kube-dns ConfigMap: `stubDomains` and `upstreamNameservers`, both JSON texts. Without upstream servers those
 * of `/etc/resolv.conf` are asked. Throws SettingsError.
 */
export function readKubeDns(
  data: Readonly<Record<string, string>>,
  file: string,
  resolvers: (path: string) => readonly string[] | undefined,
): DnsSettings {
  const strange = Object.keys(data).find((key) => !known.includes(key));
  if (strange !== undefined)
    throw new SettingsError(file, 1, `data.${strange} is not supported (supported: ${known.slice(0, 2).join(', ')})`);
  if (data.federations !== undefined)
    throw new SettingsError(file, 1, 'data.federations is not supported: federated Services do not exist any more');
  const word = (text: string): Word => ({ text, file, line: 1 });
  const upstream = (text: string) => readUpstream(word(text), resolvers);
  const stubs = Object.entries(jsonOf(data.stubDomains, file, 'stubDomains', isStubDomains) ?? {});
  const others = jsonOf(data.upstreamNameservers, file, 'upstreamNameservers', isTexts) ?? ['/etc/resolv.conf'];
  const { servers, ...process } = clusterServer({
    listen: ['0.0.0.0', '::'].map((address) => ({ address, port: 53 })),
    ttlSeconds: 30,
  });
  const forwards = [
    ...stubs.map(([zone, addresses]) => forwardTo([readZone(word(zone))], addresses.flatMap(upstream))),
    forwardTo(['.'], others.flatMap(upstream)),
  ];
  return { ...process, servers: servers.map((server) => ({ ...server, forwards })) };
}

function forwardTo(zones: readonly string[], upstreams: ForwardSettings['upstreams']): ForwardSettings {
  return {
    zones,
    except: [],
    upstreams,
    policy: 'sequential',
    healthCheckMs: 500,
    maxConcurrent: 1000,
    transport: 'udp',
  };
}

function jsonOf<T>(
  text: string | undefined,
  file: string,
  field: string,
  is: (value: unknown) => value is T,
): T | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (is(value)) return value;
  } catch {
    // Said below.
  }
  throw new SettingsError(file, 1, `data.${field} is not the JSON that kube-dns takes`);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isStubDomains(value: unknown): value is Record<string, string[]> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isTexts);
}
