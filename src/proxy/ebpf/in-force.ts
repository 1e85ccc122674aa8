import type { Backend, Frontend, FrontendKey } from '../../routing/frontend.ts';
import { backendName, parseBackendName } from '../backend-name.ts';
import { balance, type Balanced } from './balanced.ts';

/** Whether an address is a local Pod's. */
type IsLocal = (address: string) => boolean;

/**
 * The frontends as they are in force for callers inside: what nftables has, but where the socket programs decide
 * otherwise, what they do. Frontends that only they have come last. Pure.
 */
export function frontendsInForce(
  forwarded: readonly Frontend[],
  balanced: ReadonlyMap<FrontendKey, Balanced>,
  isLocal: IsLocal,
): Frontend[] {
  const left = new Map(balanced);
  const merged = forwarded.map((frontend) => {
    const found = left.get(frontend.key);
    left.delete(frontend.key);
    // What the programs do not know goes through nftables.
    return found === undefined || isAsked(frontend, found) ? frontend : { ...frontend, ...decided(found, isLocal) };
  });
  return [...merged, ...[...left].map(([key, found]) => alone(key, found, isLocal))];
}

/** Whether the programs do what is asked of the frontend. */
function isAsked(frontend: Frontend, found: Balanced): boolean {
  const asked = balance(frontend, found, { generation: () => 0, number: () => 0, counter: () => 0 });
  if (asked === undefined) return false;
  const { entry } = asked;
  const isSameSpread =
    frontend.scheduler === 'dh'
      ? isOneOf(frontend, found)
      : isSameShares(sharesOf(asked.buckets), sharesOf(found.buckets));
  const isSameChoice = entry.isByClient === found.entry.isByClient && entry.isInTurn === found.entry.isInTurn;
  const isSameReach = entry.affinitySeconds === found.entry.affinitySeconds && entry.lastPort === found.entry.lastPort;
  return isSameChoice && isSameReach && isSameSpread;
}

/** `dh` chooses one for the address, by weights; nftables tells shares, so which one it is cannot be known here. */
function isOneOf({ internal }: Frontend, { buckets }: Balanced): boolean {
  return buckets.length === 1 && internal.backends.some((backend) => backendName(backend) === buckets[0]);
}

/** How many buckets each backend has, in lowest terms. */
function sharesOf(buckets: readonly string[]): Map<string, number> {
  const shares = new Map<string, number>();
  for (const name of buckets) shares.set(name, (shares.get(name) ?? 0) + 1);
  const divisor = [...shares.values()].reduce(greatestCommonDivisor, 0);
  return new Map([...shares].map(([name, count]) => [name, count / divisor]));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function isSameShares(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, count]) => b.get(name) === count);
}

/** What the programs decide on. */
function decided(
  { buckets, entry }: Balanced,
  isLocal: IsLocal,
): Pick<Frontend, 'internal' | 'affinity' | 'lastPort' | 'scheduler'> {
  const backends = [...sharesOf(buckets)].map(([name, weight]): Backend => {
    const { address, port } = parseBackendName(name);
    return { address, port, weight, local: isLocal(address) };
  });
  return {
    internal: { verdict: 'forward', backends: backends.sort((a, b) => (backendName(a) < backendName(b) ? -1 : 1)) },
    affinity: entry.affinitySeconds === 0 ? undefined : { timeoutSeconds: entry.affinitySeconds },
    lastPort: entry.lastPort,
    scheduler: entry.isByClient ? 'mh' : entry.isInTurn ? 'wrr' : undefined,
  };
}

/** A frontend of which nftables knows nothing. */
function alone(key: FrontendKey, found: Balanced, isLocal: IsLocal): Frontend {
  const decision = decided(found, isLocal);
  return {
    ...found.called,
    key,
    kind: found.called.address === undefined ? 'NodePort' : 'ClusterIP',
    service: '',
    portName: '',
    resetAfterSeconds: undefined,
    sourceRanges: undefined,
    ...decision,
    external: decision.internal,
    masquerade: 'never',
  };
}
