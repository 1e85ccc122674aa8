import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends } from '../contract/frontends.ts';
import { ipv4 } from '../contract/worlds.ts';
import { className, parseClassName, readSlotMark, slotMark } from './classes.ts';
import { backendData, cidrKeys, frontendKey, readBackendData, readFrontendKey, sourceRangeKeys } from './keys.ts';
import { classesOf, elementsOf, isSameProgram, type Programmed, program, sharedElementsOf } from './program.ts';
import { FamilyState } from './state.ts';

const make = new Frontends(ipv4);
const two = make.clusterIp(make.forward('pod1', 'pod2'));

/** A draft in words: what goes and what comes. */
function words(state: FamilyState, frontend: Frontend): string[] {
  const { remove, add, newClasses } = state.draft([frontend], []);
  return [
    ...[...newClasses.keys()].map((chain) => `new ${chain}`),
    ...remove.map((element) => `- ${element.set}`),
    ...add.map((element) => `+ ${element.set}`),
  ];
}

test('only what differs is written', () => {
  const state = new FamilyState(false);
  state.record(state.draft([two], []));
  assert.deepEqual(words(state, two), [], 'the same again');
  const replaced = make.clusterIp(make.forward('pod1', 'pod3'));
  assert.deepEqual(words(state, replaced), ['- backends', '- hairpins', '+ backends'], 'one of two replaced');
  const three = make.clusterIp(make.forward('pod1', 'pod2', 'pod3'));
  assert.deepEqual(words(state, three), ['new spread-3', '- frontends', '+ frontends', '+ backends'], 'one more');
  const none = make.clusterIp({ verdict: 'reject', backends: [] });
  assert.deepEqual(words(state, none), [
    '- frontends',
    '- backends',
    '- backends',
    '- hairpins',
    '- hairpins',
    '+ frontends',
  ]);
});

test('a backend that goes takes no memory of another client with it', () => {
  const sticky = (...pods: ('pod1' | 'pod2' | 'pod3')[]) =>
    make.clusterIp(make.forward(...pods), { affinity: { timeoutSeconds: 60 } });
  const first = program(sticky('pod1', 'pod2', 'pod3'), undefined);
  const second = program(sticky('pod2', 'pod3'), first);
  const third = program(sticky('pod1', 'pod2', 'pod3'), second);
  for (const each of [first, second, third]) {
    assert.equal(each.internal.slots?.get('10.244.0.12:8080'), 1);
    assert.equal(each.internal.slots?.get('10.244.1.13:8080'), 2);
  }
});

test('an element that frontends share stays until the last of them goes', () => {
  const state = new FamilyState(false);
  const other = make.clusterIp(make.forward('pod1'), { port: 443, key: '10.96.0.10:443/TCP' });
  state.record(state.draft([two, other], []));
  const shared = (removed: string[]) =>
    state
      .draft([], removed)
      .remove.map((element) => element.set)
      .filter((set) => set === 'cluster-ips' || set === 'hairpins');
  assert.deepEqual(shared([two.key]), ['hairpins'], 'pod2 is called by nobody else');
  assert.deepEqual(shared([other.key]), []);
  assert.deepEqual(shared([two.key, other.key]), ['cluster-ips', 'hairpins', 'hairpins']);
});

test('programs that look the same have the same elements, and others differ', () => {
  const variants: readonly Frontend[] = [
    two,
    make.clusterIp(make.forward('pod2', 'pod1')),
    make.clusterIp(make.forward('pod1')),
    make.clusterIp(make.forward('pod1', 'pod2'), { service: 'test/other' }),
    make.clusterIp(make.forward('pod1', 'pod2'), { affinity: { timeoutSeconds: 60 } }),
    make.clusterIp(make.forward('pod1', 'pod2'), { sourceRanges: ['10.0.0.0/8'] }),
    make.clusterIp(make.forward('pod1', 'pod2'), { masquerade: 'always' }),
    make.clusterIp(make.forward('pod1', 'pod2'), { external: make.forward('pod1') }),
    make.clusterIp(make.forward('pod1', 'pod2'), { scheduler: 'mh' }),
    make.clusterIp(make.forward('pod1', 'pod2'), { scheduler: 'dh' }),
    make.clusterIp(make.forward('pod1', 'pod2'), { lastPort: 89 }),
    make.clusterIp(make.forward('pod1', 'pod2'), { lastPort: 99 }),
    make.clusterIp(make.forward('pod1', 'pod2'), { kind: 'ExternalIP', masquerade: 'never' }),
    make.clusterIp(make.forward('pod1', 'pod2'), { kind: 'ExternalIP', masquerade: 'always' }),
  ];
  const chains = new Map<string, number>();
  const numberOf = (chain: string) => chains.get(chain) ?? chains.set(chain, chains.size).size - 1;
  const context = { classNumber: numberOf, masqueradesAll: false };
  const all = (each: Programmed) => [...elementsOf(each, context), ...sharedElementsOf(each)];
  const programs = variants.map((frontend) => program(frontend, undefined));
  for (const a of programs) {
    for (const b of programs) {
      const isEqual = JSON.stringify(all(a)) === JSON.stringify(all(b));
      assert.equal(isSameProgram(a, b, false), isEqual, `${classesOf(a).join()} and ${classesOf(b).join()}`);
    }
  }
});

test('a class chain says what it does, and is read back', () => {
  for (const name of [
    'spread-3',
    'sticky-2-10800s',
    'port-spread-1-outside',
    'spread-12-restricted',
    'port-sticky-4-60s',
    'range-8000-spread-4096-by-source-outside-restricted',
    'sticky-256-30s-by-destination',
    'spread-50.2',
    'sticky-3-60s-outside-restricted.17',
  ]) {
    const spec = parseClassName(name);
    assert.equal(spec && className(spec), name);
  }
  assert.equal(parseClassName('services'), undefined);
});

test('marks of slots are read back, are all different, and keep off the bits of others', () => {
  const marks = new Set<number>();
  for (let slot = 0; slot < 32_768; slot += 1) {
    for (const isOutside of [false, true]) {
      const mark = slotMark(slot, isOutside);
      assert.deepEqual(readSlotMark(mark), { slot, isOutside });
      assert.equal(mark & 0xe000, 0);
      if (slot < 2048) assert.ok(mark <= 0xffff);
      marks.add(mark);
    }
  }
  assert.equal(marks.size, 65_536);
});

test('keys are read back as they were written', () => {
  for (const frontend of [two, make.make('NodePort', undefined, 30080, two.internal, { protocol: 'SCTP' })]) {
    const { address, port, protocol } = frontend;
    assert.deepEqual({ address: undefined, ...readFrontendKey(frontendKey(frontend)) }, { address, port, protocol });
  }
  for (const name of ['10.244.0.11:8080', '[fd00::1]:443']) assert.equal(readBackendData(backendData(name)), name);
});

test('ranges become first and last, or first and next', () => {
  const hex = ({ key, keyEnd }: { key: Buffer; keyEnd?: Buffer }) => [key.toString('hex'), keyEnd?.toString('hex')];
  assert.deepEqual(hex(cidrKeys('10.0.0.0/8')), ['0a000000', '0b000000']);
  assert.deepEqual(hex(cidrKeys('0.0.0.0/0')), ['00000000', undefined]);
  assert.deepEqual(hex(sourceRangeKeys(Buffer.from([1]), Buffer.from([2]), '192.0.2.0/30')), [
    '01c0000200',
    '02c0000203',
  ]);
});
