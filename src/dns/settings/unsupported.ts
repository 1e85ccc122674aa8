import type { DnsSettings, ServerSettings } from './settings.ts';

/** What settings can say that has no effect yet, and what to do instead: said at the start, never ignored. */
const missing: readonly (readonly [what: string, isAsked: (server: ServerSettings) => boolean])[] = [
  ['transfer is not supported yet; leave it out', ({ transfer }) => transfer.length > 0],
  ['autopath is not supported yet; leave it out', ({ autopath }) => autopath !== undefined],
  [
    'names of external addresses (k8s_external) are not supported yet; leave them out',
    ({ external }) => external !== undefined,
  ],
];

/** Sentences about settings that would be ignored; none when all have their effect. */
export function unsupported({ servers }: DnsSettings): readonly string[] {
  return missing.filter(([, isAsked]) => servers.some(isAsked)).map(([what]) => what);
}
