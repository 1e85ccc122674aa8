import type { NameData } from '../name-data.ts';
import { buildReply, codeReply, recordsOf } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { ExtendedError } from '../wire/edns.ts';
import type { Question, ResourceRecord } from '../wire/message.ts';
import { isWithin, nameKey, parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { nameRdata } from '../wire/rdata.ts';
import { extendedErrors, rcodes, typeNumbers } from '../wire/types.ts';
import type { Zone } from '../zone.ts';
import { followAlias, mapAnswer } from './answers.ts';
import type { Answer, ClusterParts, HandlerMaker, ServerParts } from './handler.ts';

const { A, AAAA, ANY, CNAME, SRV } = typeNumbers;

/** Longest chain of aliases that is followed. */
const maxAliases = 8;

/**
 * Answers names of the cluster zone, of cluster sets, and of the cluster's reverse zones. Queries for them go further only
 * where the settings leave missing names to others.
 */
export const answerFromCluster: HandlerMaker = (settings, { cluster, again }) =>
  cluster && {
    name: 'cluster',
    answer: answerFrom({ ...cluster, again, isLeft: zoneTest(settings.cluster?.fallthrough ?? []) }),
  };

/** What answers are made from: names, and who knows those that aliases lead to. */
export interface NamesContext extends ClusterParts {
  readonly again: ServerParts['again'];
  /** Whether a missing name is left to the next handler. */
  readonly isLeft: (key: Name) => boolean;
}

/** Whether a name is within one of some zones. */
export function zoneTest(zones: readonly string[]): (key: Name) => boolean {
  const names = zones.map((zone) => parseKey(zone) ?? '\0');
  return (key) => names.some((zone) => isWithin(key, zone));
}

/** Answers from names. */
export function answerFrom(context: NamesContext): (query: Query) => Answer | undefined {
  return (query) => {
    const kept = context.memo.get(query.type, query.key);
    if (kept !== undefined) return kept;
    const found = context.records.find(query.key);
    if (found.kind === 'outside') return undefined;
    if (found.kind === 'missing') return missing(query, found.zone, context);
    return fromData(query, found.data, found.zone, context);
  };
}

/** A server that does not know everything yet must neither deny a name nor let others do so. */
function missing(query: Query, zone: Zone, context: NamesContext): Reply | undefined {
  if (context.knowledge() !== 'synced') return codeReply(rcodes.SERVFAIL, notReady);
  if (context.isLeft(query.key)) return undefined;
  const reply = context.negatives.get(query, zone, rcodes.NXDOMAIN);
  const absence = context.records.absence?.(query.key);
  if (absence !== undefined) context.memo.deny({ type: 0, ...absence, zone }, query.key.length, reply);
  return reply;
}

const notReady: ExtendedError = { code: extendedErrors.notReady, text: 'the cluster is not read completely yet' };

function fromData(query: Query, data: NameData, zone: Zone | undefined, context: NamesContext): Answer | undefined {
  if (data.alias !== undefined && query.type !== CNAME && query.type !== ANY) {
    return followOwnAlias(query, data.alias, data.ttl, context);
  }
  const type = query.type === ANY ? oneType(data) : query.type;
  const rdata = data.alias === undefined ? data.sets.get(type) : type === CNAME ? [nameRdata(data.alias)] : undefined;
  if (rdata === undefined) {
    // Of a reverse zone that is shared with others only the addresses are known, not what is above them.
    const isOthers = zone === undefined || (zone.isReverse && data.owner === undefined && context.isLeft(query.key));
    return isOthers ? undefined : withoutType(query, data, zone, context);
  }
  const answers = recordsOf(query.name, type, data.ttl, rdata);
  const additionals = type === SRV || type === typeNumbers.NS ? data.glue?.() : undefined;
  const reply = buildReply(query, { answers, additionals, owner: data.owner, error: stale(context) });
  if (reply.error === undefined) context.memo.put(query.type, query.key, reply);
  return reply;
}

function withoutType(
  query: Query,
  { owner }: NameData,
  zone: Zone,
  { negatives, memo, knowledge }: NamesContext,
): Reply {
  const reply = negatives.get(query, zone, rcodes.NOERROR);
  const isKept = owner !== undefined && query.type !== 0 && knowledge() === 'synced';
  if (isKept) memo.deny({ type: query.type, top: query.key, owner, zone }, query.key.length, reply);
  return reply;
}

/** ANY gets one record set, not all (RFC 8482 4.1). */
function oneType(data: NameData): number {
  if (data.alias !== undefined) return CNAME;
  return [A, AAAA, SRV].find((type) => data.sets.get(type) !== undefined) ?? data.sets.types()[0] ?? A;
}

function stale(context: NamesContext): ExtendedError | undefined {
  if (context.knowledge() === 'synced') return undefined;
  return { code: extendedErrors.staleAnswer, text: 'last known state: the API has not been read yet' };
}

/** What following an alias has found so far. */
interface Chain {
  readonly answers: ResourceRecord[];
  target: Name;
}

/** The alias and what its target has, of any type; the code is the target's (RFC 1034 3.6.2, RFC 6604 3). */
function followOwnAlias(query: Query, alias: Name, ttl: number, context: NamesContext): Answer {
  const chain: Chain = { answers: recordsOf(query.name, CNAME, ttl, [nameRdata(alias)]), target: alias };
  for (let i = 0; i < maxAliases; i += 1) {
    const found = context.records.find(nameKey(chain.target));
    const isOutside = found.kind === 'outside' || (found.kind === 'missing' && context.isLeft(nameKey(chain.target)));
    if (isOutside) return followElsewhere(query, chain, context);
    if (found.kind === 'missing') return endMissing(query, chain, found.zone, context);
    const { data, zone } = found;
    if (data.alias === undefined) return endOfChain(query, chain, data, zone, context);
    const target = nameKey(chain.target);
    // Aliases that lead back are an error (RFC 1034 3.6.2), and each is said once.
    if (chain.answers.some(({ name }) => nameKey(name) === target)) break;
    chain.answers.push(...recordsOf(chain.target, CNAME, data.ttl, [nameRdata(data.alias)]));
    chain.target = data.alias;
  }
  return buildReply(query, { rcode: rcodes.SERVFAIL, answers: chain.answers });
}

function endOfChain(
  question: Question,
  { answers, target }: Chain,
  data: NameData,
  zone: Zone | undefined,
  context: NamesContext,
): Reply {
  const records = recordsOf(target, question.type, data.ttl, data.sets.get(question.type));
  if (records.length > 0) return buildReply(question, { answers: [...answers, ...records], error: stale(context) });
  return buildReply(question, { answers, authorities: zone ? [context.records.soa(zone)] : [] });
}

function endMissing(question: Question, { answers }: Chain, zone: Zone, context: NamesContext): Reply {
  if (context.knowledge() !== 'synced') {
    return buildReply(question, { rcode: rcodes.SERVFAIL, answers, error: notReady });
  }
  return buildReply(question, { rcode: rcodes.NXDOMAIN, answers, authorities: [context.records.soa(zone)] });
}

/** The target is none of these names: the whole server is asked, its own zones before upstream servers. */
function followElsewhere(query: Query, { answers, target }: Chain, context: NamesContext): Answer {
  const answer = followAlias(query, answers, target, context.again);
  const error = stale(context);
  return error === undefined ? answer : mapAnswer(answer, (reply) => ({ ...reply, error: reply.error ?? error }));
}
