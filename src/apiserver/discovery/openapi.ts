import type { Incoming } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { jsonReply, withHeaders } from '../http/reply.ts';
import { openApiV2MediaType } from '../../api/openapi-v2.ts';
import type { OpenApi } from '../../api/openapi.ts';

const root = '/openapi/v3';

/**
 * Answers `/openapi/v2` (for kubectl up to 1.28), `/openapi/v3` and its documents. A document asked for with its hash may be
 * kept for ever.
 */
export function serveOpenApi(path: string, request: Incoming, openApi: OpenApi): Reply | undefined {
  if (path === '/openapi/v2') return jsonReply(200, openApi.v2(), openApiV2MediaType);
  if (path === root) return jsonReply(200, Buffer.from(openApi.index));
  if (!path.startsWith(`${root}/`)) return undefined;
  const document = openApi.document(path.slice(root.length + 1));
  if (document === undefined) return undefined;
  const etag = `"${document.hash}"`;
  const isPinned = request.query.get('hash') === document.hash;
  const headers = { etag, vary: 'Accept', 'cache-control': isPinned ? 'public, immutable' : 'no-cache, private' };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: undefined };
  return withHeaders(jsonReply(200, Buffer.from(document.body)), headers);
}
