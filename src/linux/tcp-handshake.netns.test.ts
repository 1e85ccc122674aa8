import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { isErrno } from './errno.ts';
import { isolateNetwork } from './namespaces.ts';
import { acceptConnection, openCaller, openListener, socketAddress, timeConnect } from './tcp-handshake.ts';

isolateNetwork();

test('a handshake is timed, and closing the caller frees its port for the next', () => {
  const listener = openListener('127.0.0.1', 8080);
  for (let time = 0; time < 3; time += 1) {
    const caller = openCaller('127.0.0.2', 4000);
    const tookMs = timeConnect(caller, socketAddress('127.0.0.1', 8080));
    assert.ok(tookMs > 0 && tookMs < 1000, `${tookMs} ms`);
    closeSync(caller);
    closeSync(acceptConnection(listener));
  }
  closeSync(listener);
});

test('a connection that is refused throws', () => {
  const caller = openCaller('127.0.0.1', 4001);
  assert.throws(
    () => timeConnect(caller, socketAddress('127.0.0.1', 8081)),
    (error) => isErrno(error, 'ECONNREFUSED'),
  );
  closeSync(caller);
});
