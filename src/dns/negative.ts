import type { Names } from './records.ts';
import { buildReply } from './reply.ts';
import type { Reply } from './reply.ts';
import type { Question } from './wire/message.ts';
import type { Zone } from './zone.ts';

/**
 * NXDOMAIN and NODATA replies. Their only record is the zone's SOA, so they differ by zone, code, and the length of the
 * name, which says where the zone's name is in the question. They are kept until the serial changes; this makes the most
 * frequent answer of a cluster (search lists, ndots) the cheapest.
 */
export class NegativeReplies {
  readonly #records: Names;
  #serial = -1;
  readonly #kept = new Map<Zone, Map<number, Reply>>();

  constructor(records: Names) {
    this.#records = records;
  }

  get(question: Question, zone: Zone, rcode: number): Reply {
    if (this.#serial !== this.#records.serial) {
      this.#kept.clear();
      this.#serial = this.#records.serial;
    }
    let ofZone = this.#kept.get(zone);
    if (ofZone === undefined) this.#kept.set(zone, (ofZone = new Map()));
    const key = question.name.length * 16 + rcode;
    let reply = ofZone.get(key);
    if (reply === undefined) {
      // The name is replaced by one that shares no more than the zone with the SOA's names.
      const filler = '\x01*'.repeat((question.name.length - zone.name.length) >> 1);
      const odd = (question.name.length - zone.name.length) % 2 === 0 ? filler : oddFiller(filler);
      const stand = { ...question, name: odd + zone.name };
      reply = buildReply(stand, { rcode, authorities: [this.#records.soa(zone)] });
      ofZone.set(key, reply);
    }
    return reply;
  }
}

/** One byte longer than pairs allow: the first label gets two characters. */
function oddFiller(filler: string): string {
  return `\x02**${filler.slice(2)}`;
}
