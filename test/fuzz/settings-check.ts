import assert from 'node:assert/strict';
import { SettingsError } from '../../src/dns/settings/settings-error.ts';

/** Runs a reader of settings; what is wrong must be said with a line of the text, which is called `file`. */
export function readOrError<T>(
  text: string,
  file: string,
  read: () => T,
): { readonly value: T } | { readonly mistake: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const [, where, line] = /^([^:]*):(\d+): /.exec(error.message) ?? [];
    assert.equal(where, file, 'the file is named');
    const lines = text.split('\n').length;
    assert.ok(Number(line) >= 1 && Number(line) <= lines, `line ${line} of ${lines}`);
    return { mistake: error.what };
  }
}
