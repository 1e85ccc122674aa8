import { familyOf } from '../../lib/ip.ts';
import type { UpstreamSettings } from './settings.ts';
import { readAddress, wrong, type Word } from './values.ts';

/**
 * Where to forward: an address, `tls://ADDRESS[%NAME]`, `https://ADDRESS[%NAME]`, or the path of a `resolv.conf`. Throws
 * SettingsError.
 */
export function readUpstream(
  word: Word,
  resolvers: (path: string) => readonly string[] | undefined,
): UpstreamSettings[] {
  const [, scheme = 'dns', rest = ''] = /^(?:(dns|tls|https):\/\/)?(.*)$/.exec(word.text) ?? [];
  if (rest.startsWith('/') && scheme === 'dns') {
    const found = resolvers(rest);
    if (found === undefined) throw wrong(word, `"${rest}" cannot be read`);
    return found.map((address) => ({ address, port: 53, transport: 'dns', serverName: undefined }));
  }
  const transport = scheme === 'tls' || scheme === 'https' ? scheme : 'dns';
  const port = { dns: 53, tls: 853, https: 443 }[transport];
  const [before = ''] = transport === 'https' ? rest.split('/') : [rest];
  const [address = '', serverName, more] = before.split('%');
  if (more !== undefined || (serverName !== undefined && (transport === 'dns' || serverName === '')))
    throw wrong(word, `"${word.text}": a name belongs behind the address of a server over TLS`);
  if (transport === 'https' && familyOf(address.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')) === undefined)
    throw wrong(word, `"${word.text}" needs an address, not a name`);
  return [{ ...readAddress({ ...word, text: address }, port), transport, serverName }];
}

/** The same servers with the name that certificates must have, where there are any. */
export function withServerName(upstreams: readonly UpstreamSettings[], serverName: string): UpstreamSettings[] {
  return upstreams.map((each) => (each.transport === 'dns' ? each : { ...each, serverName }));
}
