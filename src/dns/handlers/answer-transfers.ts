import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { buildReply, codeReply } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { TransferSettings } from '../settings/settings.ts';
import { transferZones } from '../transfer/zones.ts';
import type { CurrentZone } from '../transfer/zones.ts';
import type { Query } from '../wire/query.ts';
import { soaNumbers } from '../wire/rdata.ts';
import { extendedErrors, isTransfer, rcodes, typeNumbers } from '../wire/types.ts';
import { zoneTest } from './answer-from-cluster.ts';
import type { HandlerMaker } from './handler.ts';

/** Gives whole zones to those who may have them (AXFR, RFC 5936; IXFR, RFC 1995), and refuses all others. */
export const answerTransfers: HandlerMaker = ({ transfer }, parts) => {
  const admissions = transfer.map(admission);
  const zones = transferZones(parts);
  return {
    name: 'transfer',
    answer(query) {
      if (!isTransfer(query.type)) return undefined;
      if (!admissions.some((admits) => admits(query))) return codeReply(rcodes.REFUSED);
      const zone = zones.find(({ name }) => name === query.key);
      if (zone === undefined) return codeReply(rcodes.NOTAUTH);
      const current = zone.current();
      if (current !== undefined) return give(query, current);
      return codeReply(rcodes.SERVFAIL, {
        code: extendedErrors.notReady,
        text: 'the zone is not known completely yet',
      });
    },
  };
};

function admission({ zones, clients, keys }: TransferSettings): (query: Query) => boolean {
  const isOfZone = zoneTest(zones);
  const ranges = clients.map(parseCidr).filter((range) => range !== undefined);
  return ({ key, client, signedBy }) =>
    isOfZone(key) &&
    ((signedBy !== undefined && keys.includes(signedBy)) ||
      ranges.some((range) => cidrContains(range, client.address())));
}

/** Changes are not kept, so that one who has an older zone gets all of it (RFC 1995 4); where there is only room for one message, the SOA says that. */
function give(query: Query, { soa, records }: CurrentZone): Reply {
  const isStream = query.client.transport === 'tcp' || query.client.transport === 'tls';
  if (query.type === typeNumbers.AXFR && !isStream) return codeReply(rcodes.REFUSED);
  const isCurrent = query.serial !== undefined && !isNewer(soaNumbers(soa.rdata).serial, query.serial);
  if (query.type === typeNumbers.IXFR && (isCurrent || !isStream)) return buildReply(query, { answers: [soa] });
  const question = { name: query.name, type: query.type, class: query.class };
  return { ...codeReply(rcodes.NOERROR), authoritative: true, transfer: { question, soa, records: records() } };
}

/** Serial numbers go round (RFC 1982 3.2). */
function isNewer(serial: number, other: number): boolean {
  const ahead = (serial - other) >>> 0;
  return ahead !== 0 && ahead < 0x8000_0000;
}
