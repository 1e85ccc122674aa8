import type { IncomingMessage } from 'node:http';
import { ApiError } from '../../api/errors.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply, Sink } from '../http/reply.ts';
import { streamReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { chooseContainer, locatePod } from './pod-location.ts';

const maxErrorBytes = 64 * 1024;

/** GET of `pods/<name>/log`: the agent's text, passed on as it comes. */
export async function podLog(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { request, info } = exchange;
  const { pod, agent } = await locatePod(exchange, server);
  const container = chooseContainer(pod, request.query.get('container'));
  const query = new URLSearchParams(request.query);
  query.delete('container');
  const parts = [info.namespace ?? '', info.name ?? '', container].map(encodeURIComponent);
  const path = `/containerLogs/${parts.join('/')}${query.size > 0 ? `?${query}` : ''}`;
  const response = await server.agents.get(agent, path, request.signal);
  if (response.statusCode !== 200) throw await agentError(response);
  return streamReply('text/plain', { start: (sink) => pass(response, sink) });
}

function pass(response: IncomingMessage, sink: Sink): () => void {
  const copy = async () => {
    for await (const chunk of response) {
      sink.write(chunk);
      await sink.drained();
    }
  };
  // A log that breaks off ends; the reader sees what was there.
  copy()
    .catch(() => {})
    .finally(() => sink.end());
  return () => response.destroy();
}

/** The agent's refusal as an `ApiError`: its own Status, or its text. */
async function agentError(response: IncomingMessage): Promise<ApiError> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxErrorBytes) break;
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  const code = response.statusCode ?? 500;
  const status = parseStatus(text);
  if (status !== undefined) return new ApiError({ ...status, code });
  const reason = code === 400 ? 'BadRequest' : code === 404 ? 'NotFound' : 'InternalError';
  return new ApiError({ metadata: {}, status: 'Failure', message: text, reason, code });
}

function parseStatus(
  text: string,
): { readonly message: string; readonly reason: string; readonly status: string } | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    const isStatus = typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'Status';
    if (!isStatus || !('message' in parsed) || !('reason' in parsed)) return undefined;
    return { message: String(parsed.message), reason: String(parsed.reason), status: 'Failure' };
  } catch {
    return undefined;
  }
}
