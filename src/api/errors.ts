import type { Status, StatusCause, StatusDetails } from './meta/status.ts';

/**
 * Every failure that the Kubernetes API can answer, as one error class and one table of constructors.
 *
 * Reasons, codes and messages are those that clients of a Kubernetes API server know.
 */

/** An API outcome that is not success. `status` is what the server sends, or what the client received. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? 'unknown API error', options);
    this.status = status;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
  get code(): number {
    return this.status.code ?? 500;
  }
}

/** A resource as errors name it: `services`, `deployments.apps`. */
export interface ResourceName {
  readonly plural: string;
  readonly group: string;
}

/** A kind as errors name it: `Service`, `Deployment.apps`. */
export interface KindName {
  readonly kind: string;
  readonly group: string;
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): ApiError {
  return new ApiError({ metadata: {}, status: 'Failure', message, reason, details, code });
}

function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`;
}

function resourceDetails(resource: ResourceName, name: string): StatusDetails {
  return { name, ...(resource.group !== '' && { group: resource.group }), kind: resource.plural };
}

function aboutResource(code: number, reason: string, resource: ResourceName, name: string, text: string): ApiError {
  const subject = `${qualified(resource.plural, resource.group)} ${JSON.stringify(name)}`;
  return failure(code, reason, `${subject} ${text}`, resourceDetails(resource, name));
}

/** 404 for an object. */
export function notFound(resource: ResourceName, name: string): ApiError {
  return aboutResource(404, 'NotFound', resource, name, 'not found');
}

/** 404 for a path that no resource is served at. */
export function noSuchPath(): ApiError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: an object of that name exists. */
export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return aboutResource(409, 'AlreadyExists', resource, name, 'already exists');
}

/** What optimistic locking says. */
export const staleObject =
  'the object has been modified; please apply your changes to the latest version and try again';

/** 409: the write met a newer version, or another precondition did not hold. */
export function conflict(resource: ResourceName, name: string, cause: string = staleObject): ApiError {
  const subject = `${qualified(resource.plural, resource.group)} ${JSON.stringify(name)}`;
  const message = `Operation cannot be fulfilled on ${subject}: ${cause}`;
  return failure(409, 'Conflict', message, resourceDetails(resource, name));
}

/** 409 of server-side apply: other managers own the fields in `causes` (reason `FieldManagerConflict`). */
export function applyConflict(causes: readonly StatusCause[]): ApiError {
  const [first] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${conflictsByManager(causes)}`;
  return failure(409, 'Conflict', message, { causes });
}

/** One line a manager, one below it for each of its fields. */
function conflictsByManager(causes: readonly StatusCause[]): string {
  const groups = [...Map.groupBy(causes, ({ message = '' }) => message)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = groups.flatMap(([message, fields]) => [
    `${message.replace('conflict with', 'conflicts with')}:`,
    ...fields.map(({ field }) => `- ${field}`),
  ]);
  return lines.join('\n');
}

function summary(causes: readonly StatusCause[]): string {
  const texts = [
    ...new Set(causes.map((each) => (each.field ? `${each.field}: ${each.message}` : (each.message ?? '')))),
  ];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** 422: the object breaks rules. `causes` name the fields. */
export function invalid(kind: KindName, name: string, causes: readonly StatusCause[]): ApiError {
  const subject = `${qualified(kind.kind, kind.group)} ${JSON.stringify(name)}`;
  const message = causes.length === 0 ? `${subject} is invalid` : `${subject} is invalid: ${summary(causes)}`;
  const details = { name, ...(kind.group !== '' && { group: kind.group }), kind: kind.kind, causes };
  return failure(422, 'Invalid', message, details);
}

/** 400. */
export function badRequest(message: string): ApiError {
  return failure(400, 'BadRequest', message);
}

/** 401. */
export function unauthorized(): ApiError {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

/** 403 for an object or, with an empty name, for the resource. `cause` is the rest of the sentence. */
export function forbidden(resource: ResourceName, name: string, cause: string): ApiError {
  const subject = qualified(resource.plural, resource.group);
  const target = name === '' ? subject : `${subject} ${JSON.stringify(name)}`;
  const details = { ...(name !== '' && { name }), ...(resource.group !== '' && { group: resource.group }) };
  return failure(403, 'Forbidden', `${target} is forbidden: ${cause}`, { ...details, kind: resource.plural });
}

/** 403 for a path that is not a resource. */
export function forbiddenPath(message: string): ApiError {
  return failure(403, 'Forbidden', message, {});
}

/** 410: the asked revision is no longer kept. `continueToken` lets a paged list go on from newer state. */
export function expired(message: string, continueToken?: string): ApiError {
  const metadata = continueToken === undefined ? {} : { continue: continueToken };
  return new ApiError({ metadata, status: 'Failure', message, reason: 'Expired', code: 410 });
}

/** 410 for a watch whose start is too old. */
export function gone(message: string): ApiError {
  return failure(410, 'Gone', message);
}

/** 405. */
export function methodNotAllowed(verb?: string, resource?: ResourceName): ApiError {
  if (verb === undefined || resource === undefined) {
    return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
  }
  const message = `${verb} is not supported on resources of kind "${qualified(resource.plural, resource.group)}"`;
  return failure(405, 'MethodNotAllowed', message, resourceDetails(resource, ''));
}

/** 415. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return failure(415, 'UnsupportedMediaType', message, {});
}

/** 406. */
export function notAcceptable(accepted: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`;
  return failure(406, 'NotAcceptable', message, {});
}

/** 413. */
export function requestEntityTooLarge(limitBytes: number): ApiError {
  const message = `Request entity too large: limit is ${limitBytes}`;
  return failure(413, 'RequestEntityTooLarge', message, {});
}

/** 504 for a revision that has not been written yet; the client retries. */
export function tooLargeResourceVersion(requested: number, current: number): ApiError {
  const text = `Too large resource version: ${requested}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return failure(504, 'Timeout', `Timeout: ${text}`, { causes, retryAfterSeconds: 1 });
}

/** 429: try again after that many seconds. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** 500 with the cause kept for the log. */
export function internal(message: string, cause?: unknown): ApiError {
  const causes = [{ message }];
  const status: Status = {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes },
    code: 500,
  };
  return new ApiError(status, { cause });
}

function hasReason(error: unknown, ...reasons: readonly string[]): error is ApiError {
  return error instanceof ApiError && reasons.includes(error.reason);
}

/** Is it a 404? */
export function isNotFound(error: unknown): error is ApiError {
  return hasReason(error, 'NotFound');
}

/** Is it a 403? */
export function isForbidden(error: unknown): error is ApiError {
  return hasReason(error, 'Forbidden');
}

/** Did a write meet a newer version? */
export function isConflict(error: unknown): error is ApiError {
  return hasReason(error, 'Conflict');
}

/** Does an object of that name exist? */
export function isAlreadyExists(error: unknown): error is ApiError {
  return hasReason(error, 'AlreadyExists');
}

/** Is the asked revision no longer kept? */
export function isGone(error: unknown): error is ApiError {
  return hasReason(error, 'Gone', 'Expired');
}

/** Did the object break rules? */
export function isInvalid(error: unknown): error is ApiError {
  return hasReason(error, 'Invalid');
}
