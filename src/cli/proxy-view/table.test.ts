import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frontends } from '../../proxy/contract/frontends.ts';
import { ipv4, ipv6 } from '../../proxy/contract/worlds.ts';
import { isChosen } from './chosen.ts';
import { frontendTable } from './table.ts';

const make = new Frontends(ipv4);
const all = make.forward('pod1', 'pod2', 'pod3');
const frontends = [
  make.clusterIp(all, { affinity: { timeoutSeconds: 60 } }),
  make.make('NodePort', undefined, 30080, all, { external: { verdict: 'drop', backends: [] }, masquerade: 'never' }),
  make.make(
    'ClusterIP',
    ipv4.services[1],
    8000,
    { verdict: 'reject', backends: [] },
    { lastPort: 8999, service: 'shop/a', portName: '' },
  ),
  make.make(
    'LoadBalancer',
    ipv4.external,
    80,
    { verdict: 'forward', backends: [make.backend('pod1', 3), make.backend('pod2')] },
    { sourceRanges: ['192.0.2.0/24'], scheduler: 'wrr' },
  ),
];
const counters = new Map([['10.96.0.10:80/TCP', { connections: 7 }]]);

test('a table of frontends: counted connections, verdicts, ranges, what outside callers get', () => {
  assert.deepEqual(frontendTable(frontends, { name: 'nftables', frontends, counters }, false), [
    'SERVICE         FRONTEND                   KIND           CONNECTIONS   BACKENDS',
    'shop/a          10.96.0.11:8000-8999/TCP   ClusterIP      -             <reject>',
    'test/web:http   10.96.0.10:80/TCP          ClusterIP      7             10.244.0.11:8080, 10.244.0.12:8080, 10.244.1.13:8080',
    'test/web:http   *:30080/TCP                NodePort       -             10.244.0.11:8080, 10.244.0.12:8080, 10.244.1.13:8080 | outside: <drop>',
    'test/web:http   203.0.113.80:80/TCP        LoadBalancer   -             10.244.0.11:8080, 10.244.0.12:8080',
  ]);
});

test('wide adds policies and shares; many backends are counted in the short form', () => {
  const wide = frontendTable(frontends, { name: 'nftables', frontends, counters }, true).join('\n');
  assert.match(wide, /affinity=60s/);
  assert.match(
    wide,
    /masquerade=always scheduler=wrr from=192\.0\.2\.0\/24 +10\.244\.0\.11:8080 75 %, 10\.244\.0\.12:8080 25 %/,
  );
  const backends = Array.from({ length: 9 }, (_, at) => ({
    address: `10.244.0.${at}`,
    port: 80,
    weight: 1,
    local: true,
  }));
  const many = make.clusterIp({ verdict: 'forward', backends });
  const [, line] = frontendTable([many], { name: 'nftables', frontends: [many], counters }, false);
  assert.match(line ?? '', /10\.244\.0\.2:80 \+ 6 more$/);
});

const six = new Frontends(ipv6).clusterIp(all);
const chosen: readonly [string, typeof six, boolean][] = [
  ['web', frontends[0] ?? six, true],
  ['test/web', frontends[0] ?? six, true],
  ['svc/web', frontends[0] ?? six, true],
  ['other/web', frontends[0] ?? six, false],
  ['10.96.0.10', frontends[0] ?? six, true],
  ['10.96.0.10:80', frontends[0] ?? six, true],
  ['10.96.0.10:80/TCP', frontends[0] ?? six, true],
  ['10.96.0.1', frontends[0] ?? six, false],
  ['*:30080', frontends[1] ?? six, true],
  ['fd00:96::10', six, true],
  ['[fd00:96::10]:80', six, true],
];
for (const [name, frontend, is] of chosen) {
  test(`${name} ${is ? 'means' : 'does not mean'} ${frontend.key} of ${frontend.service}`, () => {
    assert.equal(isChosen(frontend, [name]), is);
  });
}
