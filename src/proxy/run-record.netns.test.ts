import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { network } from './contract/worlds.ts';
import { readRunRecord, removeRunRecord, writeRunRecord } from './run-record.ts';

isolateNetwork();
const path = `/run/fairlead/proxy-${statSync('/proc/thread-self/ns/net').ino}-${process.pid}.json`;
const record = {
  nodeName: 'a',
  plane: 'nftables',
  reason: 'asked for',
  network,
  allowExternalIps: true,
  defaults: { scheduler: 'rr' },
  planeSettings: {},
} as const;

test('what a proxy says of itself is found in its network namespace until it ends', () => {
  assert.equal(readRunRecord(), undefined);
  writeRunRecord(record);
  const { nodeName, plane, allowExternalIps, defaults, pid } = readRunRecord() ?? {};
  assert.deepEqual(
    { nodeName, plane, allowExternalIps, defaults, pid },
    { nodeName: 'a', plane: 'nftables', allowExternalIps: true, defaults: { scheduler: 'rr' }, pid: process.pid },
  );
  assert.deepEqual(readRunRecord()?.network, network);
  removeRunRecord();
  assert.equal(readRunRecord(), undefined);
  assert.ok(!existsSync(path));
  removeRunRecord();
});

test('that of a process which is gone does not count and is taken away by the next', async () => {
  const left = '/run/fairlead/proxy-1.json';
  writeRunRecord(record);
  const ended = spawn('true');
  await new Promise((resolve) => ended.once('exit', resolve));
  writeFileSync(left, JSON.stringify({ ...readRunRecord(), pid: ended.pid }));
  writeFileSync(path, JSON.stringify({ ...readRunRecord(), pid: ended.pid }));
  assert.equal(readRunRecord(), undefined);
  writeRunRecord(record);
  assert.ok(!existsSync(left));
  assert.equal(readRunRecord()?.pid, process.pid);
  removeRunRecord();
});

/** A proxy's record in another process, which takes it away when its input ends. */
const another = `
  const { removeRunRecord, writeRunRecord } = await import(${JSON.stringify(new URL('./run-record.ts', import.meta.url).href)});
  writeRunRecord(${JSON.stringify({ ...record, nodeName: 'second', network })});
  console.log('written');
  process.stdin.on('end', removeRunRecord).resume();
`;

test('of two proxies in one network namespace the last counts, and when it ends the first one again', async () => {
  writeRunRecord(record);
  const second = spawn(process.execPath, ['--input-type=module', '--eval', another], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(second.stdout, 'data');
  assert.equal(readRunRecord()?.nodeName, 'second');
  writeRunRecord(record);
  assert.equal(readRunRecord()?.nodeName, 'second');
  second.stdin.end();
  await once(second, 'exit');
  assert.equal(readRunRecord()?.nodeName, 'a');
  removeRunRecord();
  assert.equal(readRunRecord(), undefined);
});
