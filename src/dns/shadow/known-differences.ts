import type { ExtendedError } from '../wire/edns.ts';
import { nameKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { extendedErrors, rcodes, typeNumbers } from '../wire/types.ts';
import type { ComparedAnswer } from './compare.ts';

/** Two answers that differ, and how ours came about. */
export interface Difference {
  /** In lower case. */
  readonly key: Name;
  readonly type: number;
  readonly ours: ComparedAnswer & { readonly error?: ExtendedError };
  readonly theirs: ComparedAnswer;
  /** Who gave ours, as in metrics. */
  readonly plugin: string;
  /** Handlers of the server that did. */
  readonly handlers: readonly string[];
  /** Whether the name has records of any type here. */
  readonly hasRecords: () => boolean;
  /** Whether upstream servers are asked about a name. */
  readonly isOutside: (name: Name) => boolean;
}

interface Known {
  readonly why: string;
  readonly fits: (difference: Difference) => boolean;
}

const { A, AAAA, ANY, CNAME, PTR } = typeNumbers;
const { NOERROR, NXDOMAIN, SERVFAIL } = rcodes;

/** Deliberate differences to CoreDNS (src/dns/README.md), and those of the moment; the first that fits counts. */
const known: readonly Known[] = [
  {
    why: 'this server has not read the cluster yet, and denies nothing until then',
    fits: ({ ours }) => ours.rcode === SERVFAIL && ours.error?.code === extendedErrors.notReady,
  },
  {
    why: 'this answer is an old one, because nobody gave a newer one',
    fits: ({ ours }) => ours.error?.code === extendedErrors.staleAnswer,
  },
  { why: 'an access rule of this server', fits: ({ plugin }) => plugin === 'acl' },
  { why: 'the settings hide this namespace from who asks', fits: ({ plugin }) => plugin === 'visibility' },
  { why: 'localhost and the like are answered here (RFC 6761)', fits: ({ plugin }) => plugin === 'local' },
  { why: 'nothing in the cluster has IPv6, so AAAA is not asked for (aaaa)', fits: ({ plugin }) => plugin === 'ipv6' },
  { why: 'ANY gets one record set (RFC 8482)', fits: ({ type }) => type === ANY },
  {
    why: 'a name that only has names below it exists (RFC 8020)',
    fits: ({ ours, theirs, plugin, hasRecords }) =>
      isOfCluster(plugin) && isEmpty(ours, NOERROR) && isEmpty(theirs, NXDOMAIN) && !hasRecords(),
  },
  {
    why: 'the search list of the Pod was gone through here (autopath)',
    fits: ({ key, ours, theirs, handlers }) =>
      handlers.includes('autopath') && isEmpty(theirs, NXDOMAIN) && isAlias(ours, key),
  },
  {
    why: "an ExternalName is an alias for every type, and takes its target's code (RFC 6604)",
    fits: ({ key, ours, theirs, plugin }) =>
      isOfCluster(plugin) && isAlias(ours, key) && (!isAlias(theirs, key) || ours.rcode !== theirs.rcode),
  },
  {
    why: 'PTR prefers names that endpoints chose themselves',
    fits: ({ type, ours, theirs, plugin }) =>
      type === PTR && plugin === 'kubernetes' && ours.answers.length > 0 && theirs.answers.length > 0,
  },
  {
    why: 'an upstream server gives each asker other addresses',
    fits: ({ type, ours, theirs, plugin }) =>
      (plugin === 'forward' || plugin === 'cache') && isAddress(type) && hasType(ours, type) && hasType(theirs, type),
  },
  {
    why: 'an upstream server gives each asker other addresses of what an ExternalName leads to',
    fits: ({ key, type, ours, theirs, isOutside }) => {
      const end = ours.answers.findLast((record) => record.type === type);
      const target = targetOf(ours, key);
      const isSame = target !== undefined && target === targetOf(theirs, key);
      return isAddress(type) && isSame && end !== undefined && hasType(theirs, type) && isOutside(end.name);
    },
  },
];

/** Why two answers may differ; undefined for a difference that nobody meant. */
export function explanationOf(difference: Difference): string | undefined {
  return known.find(({ fits }) => fits(difference))?.why;
}

function isOfCluster(plugin: string): boolean {
  return plugin === 'kubernetes' || plugin === 'k8s_external';
}

function isEmpty({ rcode, answers }: ComparedAnswer, code: number): boolean {
  return rcode === code && answers.length === 0;
}

/** Whether the name itself is an alias. */
function isAlias(answer: ComparedAnswer, key: Name): boolean {
  return targetOf(answer, key) !== undefined;
}

/** What the name is an alias of, in lower case. */
function targetOf({ answers }: ComparedAnswer, key: Name): Name | undefined {
  const alias = answers.find(({ name, type }) => type === CNAME && nameKey(name) === key);
  return alias && nameKey(Buffer.from(alias.rdata).toString('latin1'));
}

function isAddress(type: number): boolean {
  return type === A || type === AAAA;
}

function hasType({ answers }: ComparedAnswer, wanted: number): boolean {
  return answers.some(({ type }) => type === wanted);
}
