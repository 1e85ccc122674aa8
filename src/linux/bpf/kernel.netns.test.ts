import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listMounts } from '../mounts.ts';
import { isolateNetwork } from '../namespaces.ts';
import { possibleProcessors } from './installation.ts';
import { adoptMap, type BpfMap, createMap } from './map.ts';
import { makePinFolder, openPinned, pin, removePinFolder, unpin } from './pins.ts';
import { loadProgram } from './program.ts';
import { socketObject } from './socket-object.ts';

isolateNetwork();

const hash = { name: 'test', type: 1, keySize: 4, valueSize: 8, maxEntries: 20_000, flags: 1 } as const;

function key(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

function entry(number: number): [Buffer, Buffer] {
  return [key(number), Buffer.alloc(8, number & 255)];
}

test('a map takes and gives any number of entries, in batches', () => {
  using map = createMap(hash, 1);
  const entries = Array.from({ length: 10_000 }, (_, number) => entry(number));
  map.update(entries);
  const found = new Map(map.entries().map(([key, value]) => [key.readUInt32LE(), value]));
  assert.equal(found.size, 10_000);
  for (const [key, value] of entries) assert.deepEqual(found.get(key.readUInt32LE()), value);
  assert.deepEqual(map.lookup(key(77)), entry(77)[1]);
  assert.equal(map.lookup(key(10_000)), undefined);
});

test('keys that are not there stop no deletion', () => {
  using map = createMap(hash, 1);
  map.update(Array.from({ length: 100 }, (_, number) => entry(number)));
  map.delete(Array.from({ length: 300 }, (_, number) => key(299 - number)));
  assert.deepEqual(map.entries(), []);
});

test('a full map says so', () => {
  using map = createMap({ ...hash, maxEntries: 4 }, 1);
  const five = Array.from({ length: 5 }, (_, number) => entry(number));
  assert.throws(() => map.update(five), /E2BIG/);
});

test('values of a map for each processor are those of all of them', () => {
  const processors = possibleProcessors();
  using map = createMap({ ...hash, type: 5 }, processors);
  assert.equal(map.valueBytes, processors * 8);
  map.update([[key(1), Buffer.alloc(map.valueBytes, 1)]]);
  assert.deepEqual(map.lookup(key(1)), Buffer.alloc(map.valueBytes, 1));
});

test('a program that the kernel refuses says why', () => {
  const object = socketObject();
  const program = object.programs[0] ?? assert.fail();
  const instructions = Buffer.from(program.instructions);
  // r0 = *(u64 *)(r9 + 0), and nothing is in r9.
  instructions.set([0x79, 0x90, 0, 0, 0, 0, 0, 0]);
  const maps: Record<string, BpfMap> = Object.fromEntries(
    object.maps.map((each) => [
      each.name,
      createMap({ ...each, maxEntries: each.maxEntries || 16 }, possibleProcessors()),
    ]),
  );
  try {
    assert.throws(
      () => loadProgram(object, { ...program, instructions }, maps),
      /load connect4: EACCES .*R9 !read_ok/s,
    );
    closeSync(loadProgram(object, program, maps));
  } finally {
    for (const map of Object.values(maps)) map[Symbol.dispose]();
  }
});

test('pins keep maps in a file system that is mounted for them, and goes with the last', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-pins-'));
  const pins = join(folder, 'bpf', 'pins');
  const isMounted = () => listMounts().some(({ point }) => point === join(folder, 'bpf'));
  try {
    makePinFolder(pins);
    makePinFolder(pins);
    assert.ok(isMounted());
    const map = createMap(hash, 1);
    map.update([entry(7)]);
    pin(map.fd, join(pins, 'test'));
    pin(map.fd, join(pins, 'test'));
    map[Symbol.dispose]();
    assert.deepEqual(readdirSync(pins), ['test']);
    using again = adoptMap(openPinned(join(pins, 'test')) ?? assert.fail(), hash, 1) ?? assert.fail();
    assert.deepEqual(again.lookup(key(7)), entry(7)[1]);
    assert.equal(again.definition.maxEntries, hash.maxEntries);
    assert.equal(adoptMap(again.fd, { ...hash, keySize: 8 }, 1), undefined);
    removePinFolder(pins);
    assert.deepEqual(readdirSync(pins), ['test'], 'not empty');
    unpin(join(pins, 'test'));
    unpin(join(pins, 'test'));
    assert.equal(openPinned(join(pins, 'test')), undefined);
    mkdirSync(join(folder, 'bpf', 'of-others'));
    removePinFolder(pins);
    assert.ok(isMounted(), 'others have pins there');
    removePinFolder(join(folder, 'bpf', 'of-others'));
    assert.ok(!isMounted());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
