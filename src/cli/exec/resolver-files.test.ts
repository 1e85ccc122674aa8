import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostsFile, nsswitchConf, resolvConf } from './resolver-files.ts';

const resolver = { address: '10.96.0.10', domain: 'cluster.local', namespace: 'shop' };

test('resolv.conf is that of a Pod of the namespace', () => {
  assert.equal(
    resolvConf(resolver),
    'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
  );
});

const nsswitches: readonly [string, string, string][] = [
  ['plain', 'passwd: files\nhosts: files dns\n', 'passwd: files\nhosts: files dns\n'],
  [
    'with systemd-resolved and mDNS',
    'passwd: files systemd\nhosts: mymachines mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] files myhostname dns\nnetworks: files\n',
    'passwd: files systemd\nnetworks: files\nhosts: files dns\n',
  ],
  ['without a hosts line', '# nothing\n', '# nothing\nhosts: files dns\n'],
  ['empty', '', 'hosts: files dns\n'],
];

for (const [what, text, expected] of nsswitches) {
  test(`nsswitch.conf ${what} asks files, then DNS`, () => assert.equal(nsswitchConf(text), expected));
}

test('the names of Services follow those of the host, short ones only for the own namespace', () => {
  const names = [
    { address: '127.96.0.20', service: 'cart', namespace: 'shop' },
    { address: '127.96.0.30', service: 'db', namespace: 'default' },
  ];
  assert.equal(
    hostsFile('127.0.0.1 localhost\n\n', names, resolver),
    '127.0.0.1 localhost\n' +
      '127.96.0.20\tcart cart.shop cart.shop.svc cart.shop.svc.cluster.local\n' +
      '127.96.0.30\tdb.default db.default.svc db.default.svc.cluster.local\n',
  );
});
