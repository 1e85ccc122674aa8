import { defaultCacheMegabytes } from '../cluster-server.ts';
import type { CacheBounds, CacheSettings, ForwardSettings } from '../settings.ts';
import { readUpstream, withServerName } from '../upstream-text.ts';
import type { Directive } from './blocks.ts';
import type { DirectiveReader } from './draft.ts';
import { readChoice, readDuration, readNumber, readZone, readZones, wrong } from '../values.ts';
import { onlyArgument, readOptions } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Most upstream servers of one `forward`. */
const mostUpstreams = 15;

/** `forward FROM TO… { … }`; TO is an address, `tls://`, `https://`, or the path of a `resolv.conf`. */
export const readForward: DirectiveReader = (directive, { server, resolvers, note }) => {
  const [from, ...to] = directive.args;
  if (from === undefined || to.length === 0) throw wrong(directive.name, 'forward needs a zone and where to send it');
  const upstreams = to.flatMap((token) => readUpstream(token, resolvers));
  if (upstreams.length === 0) throw wrong(directive.name, 'forward: no upstream server was found');
  if (upstreams.length > mostUpstreams)
    throw wrong(directive.name, `forward: more than ${mostUpstreams} upstream servers`);
  const draft: Mutable<ForwardSettings> = {
    zones: [readZone(from)],
    except: [],
    upstreams,
    policy: 'random',
    healthCheckMs: 500,
    maxConcurrent: 1000,
    transport: 'udp',
  };
  const noted = (why: string) => (option: Directive) => note(option, why);
  readOptions(directive, {
    except: ({ args }) => (draft.except = args.map(readZone)),
    policy: (option) => (draft.policy = readChoice(onlyArgument(option), ['random', 'round_robin', 'sequential'])),
    force_tcp: () => (draft.transport = 'tcp'),
    prefer_udp: () => (draft.transport = 'udp'),
    health_check: ({ args: [interval], name }) => {
      if (interval === undefined) throw wrong(name, 'health_check needs a duration');
      draft.healthCheckMs = readDuration(interval);
    },
    max_concurrent: (option) => (draft.maxConcurrent = readNumber(onlyArgument(option), 1, 1_000_000)),
    tls_servername: (option) => {
      const serverName = onlyArgument(option).text;
      draft.upstreams = withServerName(draft.upstreams, serverName);
    },
    expire: noted('connections are kept and closed as the upstream server allows'),
    max_fails: noted('an upstream server that fails is set aside and tried again by itself'),
    failfast_all_unhealthy_upstreams: noted('is what always happens'),
    failover: noted('SERVFAIL and REFUSED are always tried at another upstream server'),
    next: noted('SERVFAIL and REFUSED are always tried at another upstream server'),
  });
  server.forwards = [...server.forwards, draft];
};

/** `cache [TTL] [ZONES…] { … }`. */
export const readCache: DirectiveReader = (directive, { server, note }) => {
  const [first, ...rest] = directive.args;
  const hasTtl = first !== undefined && /^\d+$/.test(first.text);
  const most = hasTtl ? readNumber(first, 1, 604_800) : undefined;
  const draft: Mutable<CacheSettings> = {
    zones: readZones(hasTtl ? rest : directive.args, server.zones),
    positive: { capacity: 9984, megabytes: defaultCacheMegabytes, minSeconds: 5, maxSeconds: most ?? 3600 },
    negative: {
      capacity: 9984,
      megabytes: defaultCacheMegabytes,
      minSeconds: 5,
      maxSeconds: Math.min(most ?? 1800, 1800),
    },
    staleSeconds: 0,
    prefetchQueries: 0,
    failureSeconds: 5,
  };
  readOptions(directive, {
    success: (option) => (draft.positive = readBounds(option, draft.positive)),
    denial: (option) => (draft.negative = readBounds(option, draft.negative)),
    prefetch: ({ args: [amount], name }) => {
      if (amount === undefined) throw wrong(name, 'prefetch needs a number of questions');
      draft.prefetchQueries = readNumber(amount, 0, 1_000_000);
    },
    serve_stale: ({ args: [duration] }) => (draft.staleSeconds = duration ? readDuration(duration, true) / 1000 : 3600),
    servfail: (option) => (draft.failureSeconds = Math.max(1, readDuration(onlyArgument(option)) / 1000)),
    disable: (option) =>
      note(option, "the cluster's own names are never kept: they are answered from what is known now"),
    keepttl: (option) => note(option, 'answers always say how much of their time is left'),
  });
  server.cache = draft;
};

function readBounds({ args, name }: Directive, before: CacheBounds): CacheBounds {
  const [capacity, most, least] = args;
  if (capacity === undefined) throw wrong(name, `${name.text} needs a number of answers`);
  return {
    ...before,
    capacity: readNumber(capacity, 0, 10_000_000),
    maxSeconds: most === undefined ? before.maxSeconds : readNumber(most, 1, 604_800),
    minSeconds: least === undefined ? before.minSeconds : readNumber(least, 0, 604_800),
  };
}
