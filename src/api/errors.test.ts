import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alreadyExists,
  applyConflict,
  badRequest,
  conflict,
  expired,
  forbidden,
  gone,
  internal,
  invalid,
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
  methodNotAllowed,
  notFound,
  tooLargeResourceVersion,
  tooManyRequests,
  unauthorized,
  unsupportedMediaType,
  type ApiError,
} from './errors.ts';

const services = { plural: 'services', group: '' };
const deployments = { plural: 'deployments', group: 'apps' };
const duplicate = { reason: 'FieldValueDuplicate', message: 'Duplicate value: "a"', field: 'spec.a' };

const known: readonly (readonly [ApiError, number, string, string])[] = [
  [notFound(services, 's'), 404, 'NotFound', 'services "s" not found'],
  [notFound(deployments, 'd'), 404, 'NotFound', 'deployments.apps "d" not found'],
  [alreadyExists(services, 's'), 409, 'AlreadyExists', 'services "s" already exists'],
  [
    conflict(services, 's'),
    409,
    'Conflict',
    'Operation cannot be fulfilled on services "s": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [badRequest('no'), 400, 'BadRequest', 'no'],
  [unauthorized(), 401, 'Unauthorized', 'Unauthorized'],
  [forbidden(services, 's', 'why'), 403, 'Forbidden', 'services "s" is forbidden: why'],
  [forbidden(deployments, '', 'why'), 403, 'Forbidden', 'deployments.apps is forbidden: why'],
  [expired('old'), 410, 'Expired', 'old'],
  [gone('old'), 410, 'Gone', 'old'],
  [methodNotAllowed(), 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  [tooManyRequests('wait', 1), 429, 'TooManyRequests', 'wait'],
  [internal('boom'), 500, 'InternalError', 'Internal error occurred: boom'],
  [tooLargeResourceVersion(9, 3), 504, 'Timeout', 'Timeout: Too large resource version: 9, current: 3'],
  [
    unsupportedMediaType(['a', 'b']),
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: a, b',
  ],
  [
    invalid({ kind: 'Deployment', group: 'apps' }, 'd', [duplicate]),
    422,
    'Invalid',
    'Deployment.apps "d" is invalid: spec.a: Duplicate value: "a"',
  ],
  [
    applyConflict([{ reason: 'FieldManagerConflict', message: 'conflict with "me" using v1', field: '.spec.a' }]),
    409,
    'Conflict',
    'Apply failed with 1 conflict: conflict with "me" using v1: .spec.a',
  ],
];

for (const [error, code, reason, message] of known) {
  test(`${code} ${reason}: ${message.slice(0, 40)}`, () => {
    assert.equal(error.status.status, 'Failure');
    assert.deepEqual([error.code, error.reason, error.message], [code, reason, message]);
  });
}

test('several causes are listed in brackets, equal ones once', () => {
  const other = { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.b' };
  const error = invalid({ kind: 'Pod', group: '' }, 'p', [duplicate, other, duplicate]);
  assert.equal(error.message, 'Pod "p" is invalid: [spec.a: Duplicate value: "a", spec.b: Required value]');
  assert.equal(error.status.details?.causes?.length, 3);
});

test('predicates tell outcomes apart', () => {
  assert.equal(isNotFound(notFound(services, 's')), true);
  assert.equal(isNotFound(new Error('not found')), false);
  assert.equal(isConflict(conflict(services, 's')), true);
  assert.equal(isAlreadyExists(conflict(services, 's')), false);
  assert.equal(isGone(expired('')) && isGone(gone('')), true);
  assert.equal(isInvalid(invalid({ kind: 'Pod', group: '' }, 'p', [])), true);
});
