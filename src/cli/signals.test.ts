import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { watchSignals } from './signals.ts';
import type { TerminationSignal } from './signals.ts';

function source() {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const signals = watchSignals({
    on: (signal, listener) => emitter.on(signal, listener),
    exit: (code) => exits.push(code),
  });
  return { send: (signal: TerminationSignal) => emitter.emit(signal), exits, signals };
}

test('the first Ctrl-C aborts and the second one ends the process', () => {
  const { send, exits, signals } = source();
  send('SIGINT');
  assert.equal(signals.signal.aborted, true);
  assert.deepEqual(exits, []);
  send('SIGINT');
  assert.deepEqual(exits, [130]);
});

test('a listener gets every signal and nothing else happens', () => {
  const { send, exits, signals } = source();
  const heard: string[] = [];
  const taken = signals.take((signal) => heard.push(signal));
  for (const signal of ['SIGINT', 'SIGINT', 'SIGHUP', 'SIGTERM'] as const) send(signal);
  assert.deepEqual(heard, ['SIGINT', 'SIGINT', 'SIGHUP', 'SIGTERM']);
  assert.deepEqual([signals.signal.aborted, exits], [false, []]);
  taken[Symbol.dispose]();
  send('SIGTERM');
  assert.equal(signals.signal.aborted, true);
});
