import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from './presentation.ts';
import { writeEdns } from './wire/edns.ts';
import { readMessage } from './wire/message.ts';
import { writeMessage } from './wire/writer.ts';

test('the text of an extended error cannot move the cursor of a terminal', () => {
  const opt = writeEdns(0, false, { code: 15, text: 'a\n\u001b[2Jb' });
  const message = readMessage(writeMessage({ id: 1, flags: 0x8000, questions: [], opt }));
  assert.ok(!('malformed' in message));
  assert.ok(formatMessage(message).includes('; EDE: 15: (a\\010\\027[2Jb)'));
});
