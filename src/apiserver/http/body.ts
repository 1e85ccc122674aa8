import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { badRequest, requestEntityTooLarge } from '../../api/errors.ts';

/** The largest request body, as in Kubernetes. */
export const bodyLimitBytes = 3 * 1024 * 1024;

/** Reads a request body to its end. Throws `ApiError` 413 past the limit, 400 when it cannot be decompressed. */
export async function readBody(message: IncomingMessage): Promise<Uint8Array> {
  if (Number(message.headers['content-length'] ?? 0) > bodyLimitBytes) throw requestEntityTooLarge(bodyLimitBytes);
  const isCompressed = message.headers['content-encoding'] === 'gzip';
  const source: AsyncIterable<Buffer> = isCompressed ? message.pipe(createGunzip()) : message;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > bodyLimitBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw badRequest(`unable to read the request body: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (size > bodyLimitBytes) throw requestEntityTooLarge(bodyLimitBytes);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}
