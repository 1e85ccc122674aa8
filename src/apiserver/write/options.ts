import { badRequest, invalid } from '../../api/errors.ts';
import type { FieldValidation } from '../../api/conform.ts';
import type { StatusCause } from '../../api/meta/status.ts';
import type { Incoming } from '../exchange.ts';
import { isTrue } from '../request-info.ts';

/** The query parameters that every write takes. */
export interface WriteOptions {
  /** Go through everything, store nothing. */
  readonly dryRun: boolean;
  /** Who owns the fields that this write sets. */
  readonly manager: string;
  readonly fieldValidation: FieldValidation;
  /** Server-side apply: take over fields that others own. */
  readonly force: boolean;
}

const managerLimit = 128;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** Reads and checks them. `optionsKind` names the kind in errors (`CreateOptions`, …). Throws `ApiError` 400 and 422. */
export function parseWriteOptions(request: Incoming, optionsKind: string): WriteOptions {
  const { query } = request;
  const manager = query.get('fieldManager') ?? '';
  const validation = query.get('fieldValidation') || 'Warn';
  const causes = [
    ...dryRunCauses(query.getAll('dryRun')),
    ...managerCauses(manager),
    ...(isFieldValidation(validation)
      ? []
      : [notSupported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn'])]),
  ];
  if (causes.length > 0) throw invalid({ kind: optionsKind, group: 'meta.k8s.io' }, '', causes);
  if (!isFieldValidation(validation)) throw badRequest('fieldValidation');
  return {
    dryRun: query.getAll('dryRun').some((value) => value === 'All'),
    manager: manager === '' ? managerOf(request.headers['user-agent']) : manager,
    fieldValidation: validation,
    force: isTrue(query, 'force'),
  };
}

/** Causes for values of `dryRun` other than `All`. */
export function dryRunCauses(values: readonly string[]): readonly StatusCause[] {
  return values
    .filter((value) => value !== 'All' && value !== '')
    .map((value) => notSupported('dryRun', value, ['All']));
}

/** The default manager: the user agent up to the first slash. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0] ?? '';
  return (name === '' ? 'unknown' : name).slice(0, managerLimit);
}

function managerCauses(manager: string): readonly StatusCause[] {
  if (manager.length > managerLimit) {
    return [
      {
        reason: 'FieldValueTooLong',
        message: `Too long: may not be more than ${managerLimit} bytes`,
        field: 'fieldManager',
      },
    ];
  }
  if (printable.test(manager)) return [];
  const message = `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`;
  return [{ reason: 'FieldValueInvalid', message, field: 'fieldManager' }];
}

function isFieldValidation(value: string): value is FieldValidation {
  return value === 'Ignore' || value === 'Warn' || value === 'Strict';
}

function notSupported(field: string, value: string, allowed: readonly string[]): StatusCause {
  const list = allowed.map((each) => JSON.stringify(each)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
    field,
  };
}
