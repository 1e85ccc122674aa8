import { badRequest, invalid } from '../api/errors.ts';
import type { StatusCause } from '../api/meta/status.ts';
import { isTrue, isWatch } from './request-info.ts';

/** The query parameters of list and watch, checked against each other. */
export interface ListOptions {
  /** Undefined: most recent; 0: whatever is there; otherwise not older than, or exactly, this. */
  readonly revision: number | undefined;
  readonly match: 'Exact' | 'NotOlderThan' | undefined;
  /** 0 for no limit. */
  readonly limit: number;
  readonly continueToken: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** Throws `ApiError` 400 for what cannot be read and 422 for combinations that Kubernetes forbids. */
export function parseListOptions(query: URLSearchParams): ListOptions {
  const causes = isWatch(query) ? watchCauses(query) : listCauses(query);
  if (causes.length > 0) throw invalid({ kind: 'ListOptions', group: 'meta.k8s.io' }, '', causes);
  const timeoutSeconds = parseInteger(query, 'timeoutSeconds');
  const match = query.get('resourceVersionMatch');
  return {
    revision: parseRevision(query.get('resourceVersion')),
    match: match === 'Exact' || match === 'NotOlderThan' ? match : undefined,
    limit: Math.max(0, parseInteger(query, 'limit') ?? 0),
    continueToken: query.get('continue') || undefined,
    timeoutMs: timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000,
    bookmarks: isTrue(query, 'allowWatchBookmarks'),
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query, 'sendInitialEvents') : undefined,
  };
}

/** A resource version from the outside. Undefined when empty; throws `ApiError` 400 when it is not a number. */
export function parseRevision(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  if (!/^\d{1,16}$/.test(text)) {
    throw badRequest(`invalid resource version ${JSON.stringify(text)}: must be a non-negative decimal number`);
  }
  return Number(text);
}

function parseInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax (${name})`);
  return Number(text);
}

function listCauses(query: URLSearchParams): readonly StatusCause[] {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const isContinued = (query.get('continue') ?? '') !== '';
  const causes: StatusCause[] = [];
  if (query.has('sendInitialEvents'))
    causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  if (match === '') return causes;
  if (isContinued)
    causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
  if (version === '')
    causes.push(
      forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  if (match !== 'Exact' && match !== 'NotOlderThan') causes.push(notSupported(match, ['Exact', 'NotOlderThan', '']));
  if (match === 'Exact' && version === '0') {
    causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return causes;
}

function watchCauses(query: URLSearchParams): readonly StatusCause[] {
  const match = query.get('resourceVersionMatch') ?? '';
  const wantsInitial = query.has('sendInitialEvents');
  const causes: StatusCause[] = [];
  if (wantsInitial && match !== 'NotOlderThan') {
    causes.push(
      forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    );
  }
  if (match === '') return causes;
  if (!wantsInitial) {
    causes.push(
      forbidden(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  }
  if (match !== 'NotOlderThan') causes.push(notSupported(match, ['NotOlderThan']));
  return causes;
}

function forbidden(field: string, message: string): StatusCause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field };
}

function notSupported(value: string, allowed: readonly string[]): StatusCause {
  const list = allowed.map((each) => JSON.stringify(each)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { reason: 'FieldValueNotSupported', message, field: 'resourceVersionMatch' };
}
