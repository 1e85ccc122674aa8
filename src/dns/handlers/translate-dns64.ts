import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { buildReply, readReply } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { synthesize } from '../dns64.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import type { Query } from '../wire/query.ts';
import { askInstead, mapAnswer } from './answers.ts';
import type { Answer, HandlerMaker } from './handler.ts';

const { A, AAAA } = typeNumbers;

/** Addresses that say nothing about an IPv6 destination (RFC 6147 5.1.4). */
const mapped = parseCidr('::ffff:0:0/96');

/** Makes AAAA records from A records for networks that have only IPv6 (RFC 6147). */
export const translateDns64: HandlerMaker = ({ dns64 }) => {
  if (dns64 === undefined) return undefined;
  const translate = (query: Query, reply: Reply, next: (query: Query) => Answer): Answer => {
    const asked = askInstead(query, { type: A });
    return mapAnswer(next(asked), (found) => {
      const { answers, rcode } = readReply(asked, found);
      const made = answers.map((record) => fromA(record, dns64.prefix));
      if (!made.some(({ type }) => type === AAAA)) return reply;
      return buildReply(query, { rcode, authoritative: found.authoritative, answers: made });
    });
  };
  return {
    name: 'dns64',
    around(query, next) {
      const isWanted = query.type === AAAA && (dns64.allowIpv4 || query.client.address().includes(':'));
      // Someone who checks signatures would refuse what is made here (RFC 6147 5.5).
      if (!isWanted || (query.edns?.dnssecOk === true && query.checkingDisabled)) return next(query);
      const answer = next(query);
      const decide = (reply: Reply): Answer => {
        if (reply.rcode === rcodes.NXDOMAIN) return reply;
        const hasOwn = readReply(query, reply).answers.some((record) => record.type === AAAA && !isMapped(record));
        return hasOwn && !dns64.translateAll ? reply : translate(query, reply, next);
      };
      return answer instanceof Promise ? answer.then(decide) : decide(answer);
    },
  };
};

function isMapped({ rdata }: ResourceRecord): boolean {
  return mapped !== undefined && cidrContains(mapped, rdata);
}

function fromA(record: ResourceRecord, prefix: string): ResourceRecord {
  return record.type === A ? { ...record, type: AAAA, rdata: synthesize(prefix, record.rdata) } : record;
}
