import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnsSlice } from './fixtures.ts';
import { HeadlessNames, readHeadlessSlice } from './headless-names.ts';
import { ReverseIndex } from './reverse-index.ts';
import { serviceName } from './service-names.ts';
import type { NamingScheme } from './service-names.ts';
import { typeNumbers } from './wire/types.ts';

const root = '\x03svc\x07cluster\x05local\0';
const base = serviceName('shop', 'cart', root);
const scheme: NamingScheme = {
  root,
  ttl: 5,
  namesByPod: false,
  zonal: true,
  namesAllEndpoints: true,
  hidesEmpty: false,
  clusterLabel: undefined,
};

test('endpoints that a change leaves as they were stay the same objects; one with another hostname or zone does not', () => {
  const before = readHeadlessSlice(
    dnsSlice(['10.244.0.1', '10.244.0.2 zone=a', '10.244.0.3 host=x', '10.244.0.4']),
    base,
    scheme,
  );
  const slice = dnsSlice(['10.244.0.4', '10.244.0.3 host=y', '10.244.0.2 zone=b', '10.244.0.1', '10.244.0.5']);
  const after = readHeadlessSlice(slice, base, scheme, before);
  const kept = after.hosts.filter((host) => before.hosts.includes(host)).map(({ address }) => address);
  assert.deepEqual(kept, ['10.244.0.4', '10.244.0.1']);
  assert.equal(after.hosts[1]?.target, `\x01y${base}`);
  assert.equal(after.hosts[2]?.zone, 'b');
});

test('answers of a headless Service are made anew each time: who keeps them, keeps bytes', () => {
  const names = new HeadlessNames('Service shop/cart', scheme, [
    readHeadlessSlice(dnsSlice(['10.244.0.1']), base, scheme),
  ]);
  assert.notEqual(names.base(), names.base());
  assert.equal(names.base()?.owner, names);
});

test('an address gets an owner when it is asked for, who is retired when an entry comes or goes', () => {
  const reverse = new ReverseIndex();
  const entry = (label: string) => ({ address: '10.244.0.1', target: `${label}${base}`, hasHostname: false });
  const [one, two] = [entry('\x01a'), entry('\x01b')];
  reverse.add(one);
  const first = reverse.get('10.244.0.1', 5)?.owner;
  assert.equal(reverse.get('10.244.0.1', 5)?.owner, first);
  reverse.add(two);
  assert.equal(first?.isCurrent, false);
  const second = reverse.get('10.244.0.1', 5);
  assert.equal(second?.sets.get(typeNumbers.PTR)?.length, 2);
  reverse.remove(one);
  assert.equal(second.owner?.isCurrent, false);
  assert.equal(reverse.get('10.244.0.1', 5)?.sets.get(typeNumbers.PTR)?.length, 1);
  reverse.remove(two);
  assert.equal(reverse.get('10.244.0.1', 5), undefined);
});
