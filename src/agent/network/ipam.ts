import { cidrAddress, cidrSize, parseCidr } from '../../lib/cidr.ts';

/** Addresses of Pods. Keeps nothing on disk: who runs says which are taken. */
export interface Ipam {
  /** The next free address after the one given last, so that one just freed is not given again at once. */
  allocate(): string;
  /** Marks an address as taken; false when it already is or lies outside. */
  take(address: string): boolean;
  release(address: string): void;
}

/** The range ran out. */
export class NoAddressError extends Error {
  override readonly name = 'NoAddressError';
}

/** Gives addresses of an IPv4 CIDR, without its first (network), second (gateway) and last (broadcast). */
export function createIpam(cidrText: string): Ipam {
  const cidr = parseCidr(cidrText);
  if (cidr === undefined) throw new RangeError(`${cidrText} is not a CIDR`);
  const size = Number(cidrSize(cidr));
  const usable = new Map<string, number>();
  for (let index = 2; index < size - 1; index++) usable.set(cidrAddress(cidr, index), index);
  const order = [...usable.keys()];
  const taken = new Set<string>();
  let next = 0;
  return {
    allocate() {
      for (let tried = 0; tried < order.length; tried++) {
        const address = order[next % order.length] ?? '';
        next += 1;
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      throw new NoAddressError(`no free address in ${cidrText}`);
    },
    take(address) {
      const index = usable.get(address);
      if (index === undefined || taken.has(address)) return false;
      taken.add(address);
      next = Math.max(next, index - 1);
      return true;
    },
    release: (address) => void taken.delete(address),
  };
}
