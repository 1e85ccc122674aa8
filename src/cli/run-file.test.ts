import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { processStart } from '../linux/process-start.ts';
import { isRunning, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';
import type { RunFile } from './run-file.ts';

const example: RunFile = {
  version: 1,
  pid: process.pid,
  processStart: processStart(process.pid) ?? '',
  startedAt: '2026-11-23T08:00:00Z',
  fairleadVersion: '0.1.0',
  dataDir: '',
  keepsData: true,
  mode: 'root',
  nodeName: 'node',
  api: 'https://127.0.0.1:6443',
  kubeconfig: '',
  clusterDomain: 'cluster.local',
  dns: { clusterAddress: '10.96.0.10', hostAddress: '127.0.0.1:10053' },
  plane: { name: 'nftables', reason: 'kernel 6.18' },
  network: { podCidr: '10.244.0.0/24', serviceCidr: '10.96.0.0/16', gateway: '10.244.0.1' },
};

test('a run file is read back as it was written, and gone once removed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-run-'));
  try {
    assert.equal(readRunFile(dataDir), undefined);
    writeRunFile({ ...example, dataDir });
    assert.deepEqual(readRunFile(dataDir), { ...example, dataDir });
    removeRunFile(dataDir);
    assert.equal(readRunFile(dataDir), undefined);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test('a run file of another format is refused with a way out', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-run-'));
  try {
    writeFileSync(join(dataDir, 'run.json'), '{"version": 99}');
    assert.throws(() => readRunFile(dataDir), /not written by this version/);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test('a process counts as running only while the very same process lives', async () => {
  assert.ok(isRunning(example));
  assert.ok(!isRunning({ pid: process.pid, processStart: '1' }));
  const child = spawn('true');
  const start = processStart(child.pid ?? 0) ?? '';
  await once(child, 'close');
  assert.ok(!isRunning({ pid: child.pid ?? 0, processStart: start }));
});
