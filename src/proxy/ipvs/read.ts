import type { IpvsSocket } from '../../linux/ipvs.ts';
import type { ListedRealServer, ListedVirtualServer, VirtualServerId } from '../../linux/ipvs/servers.ts';
import type { Backend, Frontend, Target } from '../../routing/frontend.ts';
import { type Scheduler, schedulers } from '../../routing/scheduler.ts';
import { backendName, parseBackendName } from '../backend-name.ts';
import { ignoreChain, refuseChain } from '../nftables/classes.ts';
import { rangeText } from '../nftables/frontend-reader.ts';
import { addressKey, hairpinKey, readBackendData, readFrontendKey, readIdentity } from '../nftables/keys.ts';
import { isSameElement } from '../nftables/program.ts';
import { layouts, type Space, spaceNames } from '../nftables/schema.ts';
import { classChain } from './classes.ts';
import { elementId } from './element-store.ts';
import { type Element, isMeant, type Programmed } from './program.ts';
import { type FrontendSet, type Side, spaces } from './schema.ts';
import { isSameSettings, serverKey } from './server-pool.ts';

/** A virtual server in the kernel with its real servers by name. */
export interface FoundServer {
  readonly virtual: ListedVirtualServer;
  readonly reals: ReadonlyMap<string, ListedRealServer>;
}

/** What the kernel has of ours. */
export interface KernelView {
  /** By `elementId`. */
  readonly elements: ReadonlyMap<string, Element>;
  /** By `serverKey`. */
  readonly servers: ReadonlyMap<string, FoundServer>;
  /** On the dummy link. */
  readonly addresses: ReadonlySet<string>;
}

/** The virtual servers that `isOurs` tells, by key. */
export function readServers(ipvs: IpvsSocket, isOurs: (id: VirtualServerId) => boolean): Map<string, FoundServer> {
  const found = new Map<string, FoundServer>();
  for (const virtual of ipvs.servers()) {
    if (!isOurs(virtual.id)) continue;
    const reals = ipvs.realServers(virtual.id).map((real) => [backendName(real), real] as const);
    found.set(serverKey(virtual.id), { virtual, reals: new Map(reals) });
  }
  return found;
}

/** Whether the kernel has everything that a frontend needs, exactly so, and sends its connections nowhere else. */
export function isInForce({ elements, servers, addresses }: Programmed, view: KernelView): boolean {
  return (
    addresses.every((address) => view.addresses.has(address)) &&
    elements.every((element) => {
      const found = view.elements.get(elementId(element));
      return found !== undefined && isSameElement(found, element);
    }) &&
    servers.every((server) => {
      const found = view.servers.get(serverKey(server.virtual.id));
      return found !== undefined && isSameSettings(found.virtual, server.virtual) && isMeant(server, found.reals);
    })
  );
}

/** The frontends that the kernel describes. What it does not know (which Pod) is left out. */
export function frontendsIn(view: KernelView): Frontend[] {
  const reader = new FrontendReader(view);
  return [...view.elements.values()].flatMap((element) => {
    const space = spaceNames.find((name) => spaces[name].inside.classes === element.set);
    const frontend = space && reader.frontend(element, space);
    return frontend === undefined ? [] : [frontend];
  });
}

/** The number of a frontend's side that the kernel has noted under the element of its class. */
export function numberIn(elements: ReadonlyMap<string, Element>, place: Pick<Element, 'family' | 'set' | 'key'>) {
  const data = elements.get(elementId(place))?.data;
  if (data === undefined) return undefined;
  return data.length === 4 ? data.readUInt32LE(0) : parseBackendName(readBackendData(data)).port;
}

/** Puts frontends together from elements and virtual servers. */
class FrontendReader {
  readonly #view: KernelView;
  readonly #ranges: readonly Element[];

  constructor(view: KernelView) {
    this.#view = view;
    this.#ranges = [...view.elements.values()].filter(({ set }) => set === 'source-ranges');
  }

  frontend(element: Element, space: Space): Frontend | undefined {
    const identity = readIdentity(element.family === 'ip' ? 'IPv4' : 'IPv6', element);
    if (identity === undefined) return undefined;
    const rangePort = identity.lastPort === undefined ? undefined : identity.port;
    const outside = this.#at(element, spaces[space].outside.classes);
    const servers = [this.#server(element, space, 'inside'), outside && this.#server(element, space, 'outside')];
    const settings = servers.find((server) => server !== undefined)?.virtual;
    const internal = this.#target(element, servers[0], rangePort);
    const isRestricted = [element, outside].some((each) => chainOf(each).endsWith('-restricted'));
    const kind = this.#kind(element, identity.address, isRestricted);
    return {
      ...identity,
      kind,
      affinity: settings?.persistenceSeconds ? { timeoutSeconds: settings.persistenceSeconds } : undefined,
      scheduler: schedulerNamed(settings?.scheduler),
      resetAfterSeconds: undefined,
      sourceRanges: isRestricted ? this.#sourceRanges(element) : undefined,
      internal,
      external: outside ? this.#target(outside, servers[1], rangePort) : internal,
      masquerade: this.#masquerade(element, space, kind),
    };
  }

  #at({ family, key }: Element, set: FrontendSet): Element | undefined {
    return this.#view.elements.get(elementId({ family, set, key }));
  }

  #server(element: Element, space: Space, side: Side): FoundServer | undefined {
    const called = readFrontendKey(element.key);
    const family = element.family === 'ip' ? 'IPv4' : 'IPv6';
    const data = this.#at(element, spaces[space][side].relays)?.data;
    const number = element.key[element.key.length - 8] ?? 0;
    if (data?.length === 4) return this.#view.servers.get(`${family} mark ${data.readUInt32LE(0)}`);
    const at = data === undefined ? called : parseBackendName(readBackendData(data));
    return this.#view.servers.get(`${number} ${at?.address} ${at?.port}`);
  }

  #target(element: Element, server: FoundServer | undefined, rangePort: number | undefined): Target {
    const chain = chainOf(element);
    if (chain === ignoreChain) return { verdict: 'drop', backends: [] };
    if (chain === refuseChain || server === undefined) return { verdict: 'reject', backends: [] };
    const backends = [...server.reals.values()]
      .filter(({ weight }) => weight > 0)
      .map(({ address, port, weight }): Backend => {
        const local = this.#has(element, 'hairpins', hairpinKey(address));
        return { address, port: rangePort ?? port, weight, local };
      });
    return { verdict: 'forward', backends: backends.sort((a, b) => (backendName(a) < backendName(b) ? -1 : 1)) };
  }

  #kind(element: Element, address: string | undefined, isRestricted: boolean): Frontend['kind'] {
    if (address === undefined) return 'NodePort';
    if (this.#has(element, 'cluster-ips', addressKey(address))) return 'ClusterIP';
    return isRestricted ? 'LoadBalancer' : 'ExternalIP';
  }

  #masquerade(element: Element, space: Space, kind: Frontend['kind']): Frontend['masquerade'] {
    if (kind === 'ClusterIP') return 'off-cluster';
    return this.#at(element, spaces[space].masqueraded) === undefined ? 'never' : 'always';
  }

  #sourceRanges({ family, key }: Element): string[] {
    return this.#ranges
      .filter((range) => range.family === family && range.key.subarray(0, key.length).equals(key))
      .map((range) => rangeText({ key: range.key, keyEnd: range.keyEnd }, layouts[family].addressBytes));
  }

  #has({ family }: Element, set: FrontendSet, key: Buffer): boolean {
    return this.#view.elements.has(elementId({ family, set, key }));
  }
}

function chainOf(element: Element | undefined): string {
  return classChain(element?.data?.readUInt32LE(0) ?? 0) ?? '';
}

/** `rr` and `wrr` are what a frontend without a wish has. */
function schedulerNamed(name: string | undefined): Scheduler | undefined {
  return name === 'rr' || name === 'wrr' ? undefined : schedulers.find((each) => each === name);
}
