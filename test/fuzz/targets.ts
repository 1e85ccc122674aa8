import type { Target } from './target.ts';
import { dnsQuery } from './targets/dns-query.ts';
import { names } from './targets/names.ts';
import { tcpFrames } from './targets/tcp-frames.ts';

/** Everything that is fuzzed. */
export const targets: readonly Target[] = [dnsQuery, names, tcpFrames];
