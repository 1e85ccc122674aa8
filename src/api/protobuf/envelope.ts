import { badRequest } from '../errors.ts';
import { Reader, Writer } from './wire.ts';

/**
 * How Kubernetes marks protobuf bodies: the magic `k8s\0`, then a message that says what the raw bytes are.
 *
 *     k8s\0 │ Unknown { typeMeta = 1 { apiVersion = 1, kind = 2 }, raw = 2, contentEncoding = 3, contentType = 4 }
 */

const magic = Buffer.from('k8s\0');

/** Media type of enveloped bodies. */
export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

/** An encoded object and what it is. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The encoded object. Shares memory with the body. */
  readonly raw: Uint8Array;
}

/** The length-delimited fields of a message; others are skipped. */
function blobs(reader: Reader): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  while (!reader.isDone) {
    const tag = reader.unsigned();
    if (tag % 8 === 2) found.set(Math.floor(tag / 8), reader.bytes());
    else reader.skip(tag % 8);
  }
  return found;
}

/** Opens an envelope. Throws `ApiError` 400 when it is none. */
export function openEnvelope(body: Uint8Array): Envelope {
  if (body.length < magic.length || magic.compare(body, 0, magic.length) !== 0) {
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const unknown = blobs(new Reader(body, magic.length));
  const typeMeta = blobs(new Reader(unknown.get(1) ?? new Uint8Array()));
  const text = (number: number): string => Buffer.from(typeMeta.get(number) ?? []).toString();
  return { apiVersion: text(1), kind: text(2), raw: unknown.get(2) ?? new Uint8Array() };
}

function field(writer: Writer, number: number, value: Uint8Array): void {
  writer.tag(number, 2);
  writer.bytes(value);
}

/** Puts an encoded object into an envelope. */
export function sealEnvelope({ apiVersion, kind, raw }: Envelope): Uint8Array {
  const typeMeta = new Writer();
  field(typeMeta, 1, Buffer.from(apiVersion));
  field(typeMeta, 2, Buffer.from(kind));
  const writer = new Writer();
  writer.raw(magic);
  field(writer, 1, typeMeta.written);
  field(writer, 2, raw);
  return writer.written;
}
