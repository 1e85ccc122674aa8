import assert from 'node:assert/strict';
import { ApiError } from '../../src/api/errors.ts';
import { kindOfMessage } from './target.ts';

/** What became of it: the value, or the error that the client gets, which must be the client's (4xx). */
export type Attempt<T> = { readonly value: T } | { readonly refused: string };

/** Runs what may refuse its input with an `ApiError` of the client. */
export function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run() };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert.ok(error.code >= 400 && error.code < 500, `the client is told ${error.code}`);
    JSON.stringify(error.status);
    return { refused: `${error.code} ${kindOfMessage(error.message.replaceAll(/'[^]*'/g, "''")).slice(0, 32)}` };
  }
}
