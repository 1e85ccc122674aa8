import { readFileSync } from 'node:fs';
import { parseResolvConf } from '../../agent/environment/resolv-conf.ts';
import type { AddressAndPort } from './addresses.ts';

/** The resolvers of this machine, asked for names outside the cluster; none when `/etc/resolv.conf` cannot be read. */
export function hostResolvers(): readonly AddressAndPort[] {
  try {
    const { nameservers } = parseResolvConf(readFileSync('/etc/resolv.conf', 'utf8'));
    return nameservers.map((address) => ({ address, port: 53 }));
  } catch {
    return [];
  }
}
