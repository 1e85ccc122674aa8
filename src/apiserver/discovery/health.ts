import type { Reply } from '../http/reply.ts';
import { textReply } from '../http/reply.ts';
import type { Server } from '../server.ts';

/** A named condition: undefined when it holds, else why not. */
interface Check {
  readonly name: string;
  readonly reason: string | undefined;
}

/** Answers `/healthz`, `/livez`, `/readyz`, with `?verbose`, `?exclude=<check>`, and one check as `/readyz/<check>`. */
export function serveHealth(
  kind: 'healthz' | 'livez' | 'readyz',
  name: string,
  query: URLSearchParams,
  server: Server,
): Reply | undefined {
  const checks = checksFor(kind, server);
  if (name !== '') {
    const check = checks.find((each) => each.name === name);
    if (check === undefined) return undefined;
    return check.reason === undefined
      ? textReply(200, 'ok')
      : textReply(500, `internal server error: ${check.reason}\n`);
  }
  const excluded = query.getAll('exclude');
  const failed = checks.filter((check) => check.reason !== undefined && !excluded.includes(check.name));
  if (failed.length === 0 && !query.has('verbose')) return textReply(200, 'ok');
  const lines = checks.map((check) => lineOf(check, excluded.includes(check.name)));
  const verdict = failed.length === 0 ? `${kind} check passed` : `${kind} check failed`;
  return textReply(failed.length === 0 ? 200 : 500, `${lines.join('\n')}\n${verdict}\n`);
}

function checksFor(kind: string, server: Server): readonly Check[] {
  const behind = server.store.revision - server.cache.revision;
  const live: Check[] = [
    { name: 'ping', reason: undefined },
    { name: 'watch-cache', reason: behind > 100_000 ? `${behind} revisions behind the store` : undefined },
  ];
  return kind === 'livez' ? live : [...live, { name: 'system-objects', reason: server.readiness() }];
}

function lineOf(check: Check, isExcluded: boolean): string {
  if (isExcluded) return `[+]${check.name} excluded: ok`;
  return check.reason === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${check.reason}`;
}
