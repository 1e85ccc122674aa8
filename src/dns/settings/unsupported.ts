import type { DnsSettings, ServerSettings } from './settings.ts';

/** What settings can say that has no effect, and what to do instead: said at the start, never ignored. */
const missing: readonly (readonly [what: string, isAsked: (server: ServerSettings) => boolean])[] = [
  [
    'autopath needs cluster: names of a search list are its names',
    ({ autopath, cluster }) => !cluster && autopath !== undefined,
  ],
  [
    'visibility needs cluster: it is about the names of namespaces',
    ({ visibility, cluster }) => !cluster && visibility.length > 0,
  ],
  [
    'transfer needs cluster, external or files: other names are no zones of this server',
    ({ transfer, cluster, external, files }) => !cluster && !external && files.length === 0 && transfer.length > 0,
  ],
];

/** Sentences about settings that would be ignored; none when all have their effect. */
export function unsupported({ servers }: DnsSettings): readonly string[] {
  return missing.filter(([, isAsked]) => servers.some(isAsked)).map(([what]) => what);
}
