import { run } from 'node:test';
import { writeEvent } from './events.ts';

/** Runs the test files of its arguments, one after the other, and writes each event of the runner as one line. */
const stream = run({ files: process.argv.slice(2), concurrency: 1, timeout: 180_000 });
for await (const event of stream) writeEvent(event);
