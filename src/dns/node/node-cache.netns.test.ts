import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { listTables, openNetfilter } from '../../linux/nftables/dump.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { openRoute } from '../../linux/route.ts';
import { silentLogger } from '../../observe/log.ts';
import { takeAddresses } from './addresses.ts';
import { keepUntracked } from './untracked.ts';

const where = [
  { address: '169.254.20.10', port: 53 },
  { address: 'fd00::a', port: 53 },
];
let netfilter: NetlinkSocket;

before(() => {
  isolateNetwork();
  netfilter = openNetfilter();
});
after(() => netfilter.close());

function addresses(): string[] {
  using route = openRoute();
  return route.addresses().map(({ address }) => address);
}

const tables = (): string[] => listTables(netfilter).map(({ name }) => name);

test('two processes have the addresses at once, and they are gone with the last', () => {
  const first = takeAddresses(where, silentLogger);
  const second = takeAddresses(where, silentLogger);
  first[Symbol.dispose]();
  assert.equal(addresses().includes('169.254.20.10'), true);
  assert.equal(execFileSync('ip', ['route', 'get', '169.254.20.10'], { encoding: 'utf8' }).startsWith('local'), true);
  second[Symbol.dispose]();
  assert.equal(addresses().includes('169.254.20.10'), false);
  assert.equal(addresses().includes('fd00::a'), false);
});

test('rules are gone when they are given back', () => {
  const rules = keepUntracked(where, silentLogger);
  assert.equal(tables().length, 2);
  rules[Symbol.dispose]();
  assert.deepEqual(tables(), []);
});

test('a process that is killed leaves neither rules nor addresses', async () => {
  const program = `
    const { takeAddresses } = await import('${new URL('./addresses.ts', import.meta.url).href}');
    const { keepUntracked } = await import('${new URL('./untracked.ts', import.meta.url).href}');
    const { silentLogger } = await import('${new URL('../../observe/log.ts', import.meta.url).href}');
    globalThis.kept = [takeAddresses(${JSON.stringify(where)}, silentLogger), keepUntracked(${JSON.stringify(where)}, silentLogger)];
    console.log('ready');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.equal(addresses().includes('169.254.20.10'), true);
  assert.equal(tables().length, 2);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(tables(), []);
  assert.equal(addresses().includes('169.254.20.10'), false);
});
