import type { Transfer } from '../reply.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { flags } from '../wire/types.ts';
import { Writer } from '../wire/writer.ts';

/** A message is ended once it is this long: names behind 16 KiB cannot be pointed to any more. */
const enoughBytes = 16_000;
/** No message gets longer: room for a signature and an OPT record stays. */
const mostBytes = 65_000;

export interface TransferMessages {
  readonly id: number;
  /** Request flags to repeat. */
  readonly repeat: number;
  readonly transfer: Transfer;
  /** A whole OPT record for the first message; undefined for none. */
  readonly opt: Uint8Array | undefined;
}

/** The messages of a zone transfer (RFC 5936 2.2), one after the other as they are asked for. */
export function* transferMessages({ id, repeat, transfer, opt }: TransferMessages): Generator<Buffer> {
  const { question, soa, records } = transfer;
  const begin = (isFirst: boolean): Writer => {
    const writer = new Writer();
    writer.header(id, flags.QR | flags.AA | repeat, [isFirst ? 1 : 0, 0, 0, 0]);
    if (isFirst) writer.question(question);
    return writer;
  };
  let writer = begin(true);
  let count = 0;
  let unsent = opt;
  const end = (): Buffer => {
    if (unsent !== undefined) writer.raw(unsent);
    const message = Buffer.from(writer.bytes());
    message.writeUInt16BE(count, 6);
    message.writeUInt16BE(unsent === undefined ? 0 : 1, 10);
    unsent = undefined;
    writer = begin(false);
    count = 0;
    return message;
  };
  for (const record of enclosed(soa, records)) {
    const most = record.name.length + 10 + record.rdata.length;
    if (count > 0 && (writer.length > enoughBytes || writer.length + most > mostBytes)) yield end();
    writer.record(record);
    count += 1;
  }
  yield end();
}

/** The SOA begins and ends a zone. */
function* enclosed(soa: ResourceRecord, records: Iterable<ResourceRecord>): Generator<ResourceRecord> {
  yield soa;
  yield* records;
  yield soa;
}
