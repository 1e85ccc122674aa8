import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';

/** Events of Node's test runner as lines of text, to get them out of a kernel whose only door is a console. */
const mark = 'test-event ';

export function writeEvent(event: TestEvent): void {
  process.stdout.write(`${mark}${serialize(plain(event)).toString('base64')}\n`);
}

/** An error keeps only its text on the way, so it becomes that text here. */
function plain(event: TestEvent): unknown {
  if (event.type !== 'test:fail') return event;
  const { details } = event.data;
  const shown = new Error('failed inside User-Mode Linux');
  shown.stack = inspect(details.error.cause ?? details.error);
  return { ...event, data: { ...event.data, details: { ...details, error: shown } } };
}

/** Undefined for a line that is no event: what the kernel or a program says. */
export function readEvent(line: string): TestEvent | undefined {
  if (!line.startsWith(mark)) return undefined;
  return deserialize(Buffer.from(line.slice(mark.length), 'base64'));
}
