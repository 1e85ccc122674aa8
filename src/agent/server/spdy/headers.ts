import { constants, createDeflate, createInflate } from 'node:zlib';
import type { Deflate, Inflate } from 'node:zlib';

/** Header names are lower case. */
export type Headers = Readonly<Record<string, string>>;

const prefixed = (word: string): Buffer => {
  const bytes = Buffer.alloc(4 + word.length);
  bytes.writeUInt32BE(word.length);
  bytes.write(word, 4, 'latin1');
  return bytes;
};

/** Words with their lengths before them, then plain text: the compression dictionary of draft section 2.6.10.1. */
const dictionaryWords =
  `options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges
  age allow authorization cache-control connection content-base content-encoding content-language content-length
  content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since
  if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate
  proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning
  www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin`
    .split(/\s+/)
    .map((word) => word.replace('_', ' '));

const dictionaryText = [
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505',
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden',
  '404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable',
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT',
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,',
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.',
].join('');

function dictionary(): Buffer {
  return Buffer.concat([...dictionaryWords.map(prefixed), Buffer.from(dictionaryText, 'latin1')]);
}

/** Both directions of one connection's header compression. Blocks must pass in the order of their frames. */
export interface HeaderCodec extends Disposable {
  encode(headers: Headers): Promise<Buffer>;
  /** Rejects when the block is no valid header block. */
  decode(block: Buffer): Promise<Headers>;
}

export function createHeaderCodec(): HeaderCodec {
  const settings = { dictionary: dictionary(), flush: constants.Z_SYNC_FLUSH };
  const deflate = createDeflate(settings);
  const inflate = createInflate(settings);
  return {
    encode: (headers) => pass(deflate, encodeBlock(headers)),
    decode: async (block) => decodeBlock(await pass(inflate, block)),
    [Symbol.dispose]: () => {
      deflate.destroy();
      inflate.destroy();
    },
  };
}

/** Everything that one chunk gives: the flush mode holds nothing back. */
async function pass(zlib: Deflate | Inflate, chunk: Buffer): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => {
    zlib.once('error', reject);
    zlib.write(chunk, () => {
      zlib.off('error', reject);
      resolve();
    });
  });
  return (zlib.read() as Buffer | null) ?? Buffer.alloc(0);
}

function encodeBlock(headers: Headers): Buffer {
  const entries = Object.entries(headers);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(entries.length);
  return Buffer.concat([count, ...entries.flatMap(([name, value]) => [prefixed(name), prefixed(value)])]);
}

function decodeBlock(block: Buffer): Headers {
  let at = 4;
  const text = (): string => {
    const end = at + 4 + block.readUInt32BE(at);
    if (end > block.length) throw new RangeError('a SPDY header block that ends too early');
    const value = block.toString('latin1', at + 4, end);
    at = end;
    return value;
  };
  const headers: Record<string, string> = {};
  for (let left = block.readUInt32BE(0); left > 0; left -= 1) {
    const name = text().toLowerCase();
    headers[name] = text();
  }
  return headers;
}
