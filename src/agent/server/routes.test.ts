import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRoute } from './routes.ts';

const now = Date.parse('2026-11-23T09:00:00Z');

test('a log path is read with its whole query', () => {
  const query = 'follow=true&previous=1&timestamps=true&tailLines=0&limitBytes=9&sinceSeconds=60';
  assert.deepEqual(readRoute(`/containerLogs/shop/web/main?${query}`, now), {
    type: 'logs',
    request: {
      namespace: 'shop',
      pod: 'web',
      container: 'main',
      follow: true,
      previous: true,
      timestamps: true,
      tailLines: 0,
      limitBytes: 9,
      sinceMs: now - 60_000,
    },
  });
});

test('an exec path is read with its command and streams', () => {
  const route = readRoute('/exec/shop/web/main?command=echo&command=a%20b&stdout=1&tty=true', now);
  assert.deepEqual(route, {
    type: 'exec',
    request: { namespace: 'shop', pod: 'web', container: 'main', command: ['echo', 'a b'], tty: true },
    wanted: { stdin: false, stdout: true, stderr: false, tty: true },
  });
});

test('port-forward takes ports in either form', () => {
  for (const query of ['ports=80&ports=443', 'ports=80,443']) {
    const route = readRoute(`/portForward/shop/web?${query}`, now);
    assert.deepEqual(route, { type: 'port-forward', request: { namespace: 'shop', pod: 'web' }, ports: [80, 443] });
  }
});

const refused: readonly [string, RegExp][] = [
  ['/containerLogs/a/b/c?tailLines=-1', /tailLines: "-1" must be a whole number of 0 or more/],
  ['/containerLogs/a/b/c?limitBytes=0', /limitBytes: "0" must be a whole number of 1 or more/],
  ['/containerLogs/a/b/c?sinceTime=yesterday', /sinceTime: "yesterday" is not a time/],
  ['/containerLogs/a/b/c?sinceSeconds=1&sinceTime=2026-11-23T09:00:00Z', /at most one of/],
  ['/exec/a/b/c?stdout=true', /at least one command/],
  ['/exec/a/b/c?command=ls', /at least 1 of stdin, stdout, stderr/],
  ['/portForward/a/b?ports=99999', /"99999" is not a port/],
];

for (const [path, message] of refused) {
  test(`${path} is refused`, () => assert.throws(() => readRoute(path, now), message));
}
