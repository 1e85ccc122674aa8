import { buildReply } from '../reply.ts';
import { isWithin } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { rcodes } from '../wire/types.ts';
import type { ZoneData } from '../zone-file/zone.ts';
import { followAlias } from './answers.ts';
import type { Answer, HandlerMaker, ServerParts } from './handler.ts';

/** Answers from zone files (RFC 1035 5). A file that gets wrong while it is served is said, and its last good state stays. */
export const answerFromFiles: HandlerMaker = (_, { files, again }) => {
  if (files.length === 0) return undefined;
  return {
    name: 'file',
    answer(query) {
      const zone = files.find(({ origin }) => isWithin(query.key, origin));
      return zone && answerFrom(zone.current(), query, again);
    },
  };
};

function answerFrom(zone: ZoneData, query: Query, again: ServerParts['again']): Answer {
  const found = zone.find(query.key, query.type);
  switch (found.kind) {
    case 'answer':
      return buildReply(query, { answers: found.records });
    case 'alias':
      return followAlias(query, found.records, found.target, again);
    case 'referral':
      return buildReply(query, { authoritative: false, authorities: found.servers, additionals: found.glue });
    default:
      return buildReply(query, {
        rcode: found.kind === 'missing' ? rcodes.NXDOMAIN : rcodes.NOERROR,
        authorities: [negativeSoa(zone)],
      });
  }
}

/** Its TTL is how long "no" may be remembered (RFC 2308 3). */
function negativeSoa({ soa }: ZoneData): ZoneData['soa'] {
  const minimum = Buffer.from(soa.rdata).readUInt32BE(soa.rdata.length - 4);
  return { ...soa, ttl: Math.min(soa.ttl, minimum) };
}
