import { badRequest } from '../../api/errors.ts';

/** Where a paged list goes on. */
export interface ContinueToken {
  /** The revision of the whole list; -1 when the rest may be newer than the beginning. */
  readonly revision: number;
  /** Last key that was sent, without the prefix of the resource: `ns/name`. */
  readonly after: string;
}

const version = 'meta.k8s.io/v1';

/** Kubernetes' own form: base64url JSON whose start key is the last one plus a zero byte. */
export function encodeContinue(token: ContinueToken): string {
  const body = { v: version, rv: token.revision, start: `${token.after}\0` };
  return Buffer.from(JSON.stringify(body)).toString('base64url');
}

/** Throws `ApiError` 400 for anything that `encodeContinue` did not make. */
export function decodeContinue(text: string): ContinueToken {
  const body = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
  const { v, rv, start } = body;
  if (v !== version) throw invalidToken('server does not recognize this encoded version');
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalidToken('incorrect encoded start resourceVersion');
  if (typeof start !== 'string' || start.length < 2) throw invalidToken('encoded start key empty');
  if (start.split('/').includes('..')) throw invalidToken('encoded start key invalid');
  return { revision: rv, after: start.endsWith('\0') ? start.slice(0, -1) : start };
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
  } catch {
    // Falls through to the error below.
  }
  throw invalidToken('unable to decode the token');
}

function invalidToken(reason: string) {
  return badRequest(`continue key is not valid: ${reason}`);
}
