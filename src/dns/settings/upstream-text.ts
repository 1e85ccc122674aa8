import { familyOf } from '../../lib/ip.ts';
import type { UpstreamSettings } from './settings.ts';
import { readAddress, wrong, type Word } from './values.ts';

/**
 * Where to forward: an address, `tls://ADDRESS[%NAME]`, `https://ADDRESS`, or the path of a `resolv.conf`. Throws SettingsError.
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
  if (transport !== 'https') {
    return [
      { ...readAddress({ ...word, text: rest.split('%')[0] ?? '' }, port), transport, serverName: rest.split('%')[1] },
    ];
  }
  const address = rest.split('/')[0] ?? '';
  if (familyOf(address.replace(/:\d+$/, '')) === undefined)
    throw wrong(word, `"${word.text}" needs an address, not a name`);
  return [{ ...readAddress({ ...word, text: address }, port), transport, serverName: undefined }];
}
