import { connectionTable, eachConnection, isTranslated } from '../../linux/conntrack.ts';
import { SystemError } from '../../linux/errno.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { listDroppingChains } from '../../linux/nftables/base-chains.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl } from '../../linux/sysctl.ts';
import type { Frontend, Protocol } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import type { PlaneName } from '../dataplane.ts';
import { rememberedBackend } from '../nftables/affinity.ts';
import { flowTargets, targetOf } from '../stale-flows/ended-flows.ts';
import type { Trace, TraceQuestion, TraceStep } from '../trace.ts';

/** Something that this machine's kernel says now about a traced connection. */
export interface LiveFact extends TraceStep {
  /** It keeps the connection from its backend, or leads it to a wrong one. */
  readonly isProblem: boolean;
}

const protocolNumbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
/** Tracked connections that are told one by one. */
const told = 5;

/**
 * Looks at what decides on a forwarded connection beside the plane: the client's memory, connections that are tracked
 * already, routes to the backends, forwarding, other programs' rules. Reads only; needs CAP_NET_ADMIN.
 */
export function readLiveFacts(trace: Trace, question: TraceQuestion, plane: PlaneName): readonly LiveFact[] {
  const { frontend, outcome, caller } = trace;
  if (frontend === undefined) return [];
  using socket = openNetfilter();
  const facts = [...memoryFacts(socket, trace, question, plane), ...trackingFacts(socket, frontend, question)];
  if (outcome.kind !== 'forwarded') return facts;
  facts.push(...routeFacts([...new Set(outcome.backends.map(({ backend }) => backend.address))]));
  if (caller !== 'node') facts.push(...forwardingFacts(socket, frontend));
  return facts;
}

function memoryFacts(
  socket: NetlinkSocket,
  { frontend, caller }: Trace,
  { source, destination }: TraceQuestion,
  plane: PlaneName,
): LiveFact[] {
  if (frontend?.affinity === undefined || source === undefined || plane !== 'nftables') return [];
  const isInsider = caller === 'node' || caller === 'local-pod';
  const name = rememberedBackend(socket, { source, destination, frontend, isInsider });
  const detail =
    name === undefined ? `${source} is not remembered: its next connection draws` : `${source} is held on ${name}`;
  return [{ title: 'memory', detail, isProblem: false }];
}

function trackingFacts(socket: NetlinkSocket, frontend: Frontend, question: TraceQuestion): LiveFact[] {
  const table = connectionTable();
  if (table === undefined) return [];
  const { source, destination, port, protocol } = question;
  const targets = flowTargets(frontend);
  const lines: string[] = [];
  let stale = 0;
  const original = { destination, destinationPort: port, ...(source === undefined ? {} : { source }) };
  eachConnection(socket, { family: frontend.family, protocol: protocolNumbers[protocol], original }, (connection) => {
    const target = targetOf(connection, frontend);
    const isKept = target !== undefined && targets.has(target);
    if (!isKept) stale += 1;
    const from = backendName({ address: connection.original.source, port: connection.original.sourcePort });
    lines.push(`${from} → ${isTranslated(connection) ? target : 'not translated'}${isKept ? '' : ' (no backend now)'}`);
  });
  const more = lines.length > told ? [`and ${lines.length - told} more`] : [];
  const facts: LiveFact[] = [];
  if (lines.length > 0) {
    const detail = [...lines.slice(0, told), ...more].join('\n');
    facts.push({ title: 'tracked', detail, isProblem: stale > 0 && protocol === 'UDP' });
  }
  const max = Number(readSysctl('net.netfilter.nf_conntrack_max') ?? Number.POSITIVE_INFINITY);
  if (table.count < max) return facts;
  const detail = `the table of connections is full (${table.count} of ${max}): new ones are dropped`;
  return [...facts, { title: 'tracking', detail, isProblem: true }];
}

function routeFacts(addresses: readonly string[]): LiveFact[] {
  using route = openRoute();
  const names = new Map(route.links().map(({ index, name }) => [index, name]));
  const ways = new Map<string, string[]>();
  const facts: LiveFact[] = [];
  for (const address of addresses) {
    try {
      const { linkIndex, gateway } = route.findRoute(address);
      const way = `${gateway === undefined ? '' : `via ${gateway} `}dev ${names.get(linkIndex) ?? linkIndex}`;
      ways.set(way, [...(ways.get(way) ?? []), address]);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      facts.push({ title: 'route', detail: `${address}: no route (${error.code})`, isProblem: true });
    }
  }
  for (const [way, reached] of ways)
    facts.unshift({ title: 'route', detail: `${reached.join(', ')}: ${way}`, isProblem: false });
  return facts;
}

function forwardingFacts(socket: NetlinkSocket, { family }: Frontend): LiveFact[] {
  const setting = family === 'IPv4' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
  const facts: LiveFact[] = [];
  if (readSysctl(setting) === '0') {
    facts.push({ title: 'forwarding', detail: `${setting} is 0: this machine passes no packets on`, isProblem: true });
  }
  for (const { family: where, table, name } of listDroppingChains(
    socket,
    'forward',
    family === 'IPv4' ? 'ip' : 'ip6',
  )) {
    const detail = `chain ${name} of table ${where} ${table} drops what its rules do not accept`;
    facts.push({ title: 'other rules', detail, isProblem: false });
  }
  return facts;
}
