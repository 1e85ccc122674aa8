import { isErrno } from '../../linux/errno.ts';
import type { LinkAddress } from '../../linux/route/addresses.ts';
import { openRoute, type RouteSocket } from '../../linux/route.ts';
import { linkName } from './schema.ts';

/** The addresses of the dummy link, each there while something needs it. */
export class VirtualAddresses {
  readonly #route: RouteSocket = openRoute();
  readonly #present = new Set<string>();
  readonly #users = new Map<string, number>();
  /** Present, and needed by nobody. */
  readonly #unused = new Set<string>();
  #index = 0;

  /** The addresses of the link in the kernel. Changes no belief. */
  list(): Set<string> {
    const link = this.#route.link(linkName);
    const own = this.#route.addresses().filter(({ linkIndex }) => linkIndex === link?.index);
    const isHost = ({ address, prefix }: LinkAddress) => prefix === (address.includes(':') ? 128 : 32);
    return new Set(own.filter(isHost).map(({ address }) => address));
  }

  /** Makes `addresses`, just listed, the belief. Nobody needs them yet. */
  load(addresses: ReadonlySet<string>): void {
    this.#index = this.#route.link(linkName)?.index ?? 0;
    this.#users.clear();
    this.#present.clear();
    this.#unused.clear();
    for (const address of addresses) {
      this.#present.add(address);
      this.#unused.add(address);
    }
  }

  /** Makes the link when it is not there, and turns it up. */
  ensureLink(): void {
    const found = this.#route.link(linkName);
    const link = found ?? this.#route.createLink({ kind: 'dummy', name: linkName, up: true });
    if (found?.up === false) this.#route.setLink(found.index, { up: true });
    this.#index = link.index;
  }

  /** Whether the link is there, up, and has every address. */
  isIntact(): boolean {
    const link = this.#route.link(linkName);
    return link?.index === this.#index && link.up && this.#present.isSubsetOf(this.list());
  }

  /** One more needs each of them. Returns how many were added. Throws `SystemError`: then nobody more needs any. */
  claim(addresses: readonly string[]): number {
    let added = 0;
    for (const address of addresses) {
      if (this.#present.has(address)) continue;
      this.#route.addAddress(this.#index, hostCidr(address));
      this.#present.add(address);
      // Until it is counted: a later one may not be had.
      this.#unused.add(address);
      added += 1;
    }
    for (const address of addresses) this.#count(address, 1);
    return added;
  }

  release(addresses: readonly string[]): void {
    for (const address of addresses) this.#count(address, -1);
  }

  get hasUnused(): boolean {
    return this.#unused.size > 0;
  }

  /** Takes away what nobody needs, but not what `isKept` tells. Returns how many went. */
  sweep(isKept: (address: string) => boolean): number {
    let gone = 0;
    for (const address of this.#unused) {
      if (isKept(address)) continue;
      if (this.#present.delete(address)) this.#takeAway(address);
      this.#unused.delete(address);
      gone += 1;
    }
    return gone;
  }

  remove(): void {
    this.#route.deleteLink(linkName);
  }

  close(): void {
    this.#route.close();
  }

  /** Somebody else may have done it. */
  #takeAway(address: string): void {
    try {
      this.#route.deleteAddress(this.#index, hostCidr(address));
    } catch (error) {
      if (!isErrno(error, 'EADDRNOTAVAIL')) throw error;
    }
  }

  #count(address: string, by: 1 | -1): void {
    const users = (this.#users.get(address) ?? 0) + by;
    if (users > 0) {
      this.#users.set(address, users);
      this.#unused.delete(address);
    } else {
      this.#users.delete(address);
      this.#unused.add(address);
    }
  }
}

function hostCidr(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}
