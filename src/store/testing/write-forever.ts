/**
 * A process to be killed: writes to the store at argv[2] without pause, and prints one line for each acknowledged
 * commit, `revision key key…`, after the answer. Every commit puts the same text under all its keys.
 */
import { writeSync } from 'node:fs';
import type { Operation } from '../store.ts';
import { openSqliteStore } from '../sqlite.ts';

const WRITERS = 16;
const path = process.argv[2] ?? '';
const run = process.argv[3] ?? '0';
const store = openSqliteStore(path, { retention: { minEvents: 100, maxEvents: 500 } });
const encoder = new TextEncoder();

async function writeForever(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const keys = [`/${writer}/hot`, `/${writer}/${run}-${count}`].slice(0, 1 + (count % 2));
    const value = encoder.encode(`${run} ${writer} ${count} ${'x'.repeat(count % 3000)}`);
    const puts = keys.map((key): Operation => ({ type: 'put', key, value, expected: 'any' }));
    const gone = `/${writer}/${run}-${count - 20}`;
    const result = await store.commit([...puts, { type: 'delete', key: gone, expected: 'any' }]);
    if (result.ok) writeSync(1, `${result.revision} ${keys.join(' ')} -${gone}\n`);
  }
}

writeSync(1, `open ${store.revision}\n`);
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeForever(writer)));
