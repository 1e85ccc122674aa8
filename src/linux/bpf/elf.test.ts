import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBpfObject } from './elf.ts';
import { socketObject } from './socket-object.ts';

const names = ['connect', 'sendmsg', 'recvmsg', 'getpeername'].flatMap((name) => [`${name}4`, `${name}6`]);

test('the object file has a program for each hook and the maps that they use', () => {
  const { license, maps, programs } = socketObject();
  assert.equal(license, 'Apache-2.0');
  assert.deepEqual(
    programs.map(({ name }) => name),
    names,
  );
  const known = new Set(maps.map(({ name }) => name));
  assert.deepEqual(new Set(programs.flatMap(({ uses }) => uses.map(({ map }) => map))), known);
  for (const { name, instructions, uses } of programs) {
    assert.ok(instructions.length % 8 === 0 && instructions.length > 0, name);
    // Each use is a load of a 64-bit constant: BPF_LD | BPF_IMM | BPF_DW.
    for (const { offset } of uses) assert.equal(instructions[offset], 0x18, `${name} at ${offset}`);
  }
});

test('what is no object file is refused', () => {
  const file = readFileSync(join(import.meta.dirname, 'socket.bpf.o'));
  const other = Buffer.from(file);
  other.writeUInt16LE(62, 18);
  for (const bytes of [Buffer.alloc(0), Buffer.from('#!/bin/sh'), other]) {
    assert.throws(() => readBpfObject(bytes), /this is no little-endian BPF object file/);
  }
});

const clang = spawnSync('clang', ['--version'], { encoding: 'utf8' });
const hasClang = clang.status === 0 && clang.stdout.includes('version 14.');

test(
  'building from source gives the object file that is checked in',
  { skip: !hasClang && 'there is no clang 14' },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-bpf-'));
    try {
      const built = join(folder, 'built.o');
      const { status, stderr } = spawnSync('sh', [join(import.meta.dirname, 'build.sh'), built], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const isSame = readFileSync(built).equals(readFileSync(join(import.meta.dirname, 'socket.bpf.o')));
      assert.ok(isSame, 'socket.bpf.o is not what socket.bpf.c says: run src/linux/bpf/build.sh');
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
