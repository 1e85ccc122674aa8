/**
 * Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00), as far as Kubernetes' streaming protocols use them. kubectl speaks it
 * directly up to 1.30, and inside a WebSocket for port-forward since.
 *
 *     control  |1|version 3 (15)|type (16)|flags (8)|length (24)| payload
 *     data     |0|stream id (31)|flags (8)|length (24)|           payload
 */
export type Frame =
  | { readonly type: 'syn-stream'; readonly stream: number; readonly fin: boolean; readonly headers: Buffer }
  | { readonly type: 'syn-reply'; readonly stream: number; readonly fin: boolean; readonly headers: Buffer }
  | { readonly type: 'rst-stream'; readonly stream: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway' }
  | { readonly type: 'data'; readonly stream: number; readonly fin: boolean; readonly data: Buffer }
  /** SETTINGS, HEADERS, WINDOW_UPDATE and unknown ones: read over, as the clients of Kubernetes do. */
  | { readonly type: 'other' };

const controlTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goaway: 7 } as const;
const finFlag = 1;
const version = 3;
const headLength = 8;

/** Longer frames are an attack or garbage: no client sends more than 64 KiB at once. */
const longestFrame = 1 << 20;

/** The first whole frame of `bytes` and its length; undefined when more bytes are needed. Throws RangeError on garbage. */
export function readFrame(bytes: Buffer): { readonly frame: Frame; readonly length: number } | undefined {
  if (bytes.length < headLength) return undefined;
  const word = bytes.readUInt32BE(4);
  const length = headLength + (word & 0xff_ff_ff);
  if (length > longestFrame) throw new RangeError(`a SPDY frame of ${length} bytes`);
  if (bytes.length < length) return undefined;
  const fin = ((word >>> 24) & finFlag) !== 0;
  const payload = bytes.subarray(headLength, length);
  const first = bytes.readUInt32BE(0);
  if (first >>> 31 === 0) return { frame: { type: 'data', stream: first, fin, data: payload }, length };
  if (((first >>> 16) & 0x7f_ff) !== version) throw new RangeError('a frame of another SPDY version');
  return { frame: readControl(first & 0xff_ff, fin, payload), length };
}

function readControl(type: number, fin: boolean, payload: Buffer): Frame {
  switch (type) {
    case controlTypes.synStream:
      // Stream id, associated stream id, priority and slot come before the headers.
      return { type: 'syn-stream', stream: streamId(payload), fin, headers: payload.subarray(10) };
    case controlTypes.synReply:
      return { type: 'syn-reply', stream: streamId(payload), fin, headers: payload.subarray(4) };
    case controlTypes.rstStream:
      return { type: 'rst-stream', stream: streamId(payload), status: payload.readUInt32BE(4) };
    case controlTypes.ping:
      return { type: 'ping', id: payload.readUInt32BE(0) };
    case controlTypes.goaway:
      return { type: 'goaway' };
    default:
      return { type: 'other' };
  }
}

function streamId(payload: Buffer): number {
  return payload.readUInt32BE(0) & 0x7f_ff_ff_ff;
}

function control(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headLength);
  head.writeUInt32BE(((0x80_00 | version) * 0x1_00_00 + type) >>> 0, 0);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** `headers` is a compressed header block. */
export function synStreamFrame(stream: number, headers: Buffer, fin = false): Buffer {
  return control(
    controlTypes.synStream,
    fin ? finFlag : 0,
    Buffer.concat([words(stream, 0), Buffer.alloc(2), headers]),
  );
}

/** `headers` is a compressed header block. */
export function synReplyFrame(stream: number, headers: Buffer, fin = false): Buffer {
  return control(controlTypes.synReply, fin ? finFlag : 0, Buffer.concat([words(stream), headers]));
}

/** Status 5 is CANCEL (draft section 2.6.3). */
export function rstStreamFrame(stream: number, status = 5): Buffer {
  return control(controlTypes.rstStream, 0, words(stream, status));
}

export function pingFrame(id: number): Buffer {
  return control(controlTypes.ping, 0, words(id));
}

export function dataFrame(stream: number, data: Uint8Array, fin = false): Buffer {
  const head = words(stream, (((fin ? finFlag : 0) << 24) | data.length) >>> 0);
  return data.length === 0 ? head : Buffer.concat([head, data]);
}
