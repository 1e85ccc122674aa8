import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { readSysctl, writeSysctl } from '../linux/sysctl.ts';
import { silentLogger } from '../observe/log.ts';
import { network } from './contract/worlds.ts';
import { tuneNode } from './node-tuning.ts';
import { createNftablesPlane } from './nftables/plane.ts';

isolateNetwork();

test('time-outs of connection tracking are raised, never lowered', async () => {
  const plane = createNftablesPlane({ network });
  await plane.adopt([]);
  const established = 'net.netfilter.nf_conntrack_tcp_timeout_established';
  const closeWait = 'net.netfilter.nf_conntrack_tcp_timeout_close_wait';
  writeSysctl(established, '432000');
  writeSysctl(closeWait, '60');
  tuneNode({ tcpEstablishedTimeoutSeconds: 86_400, tcpCloseWaitTimeoutSeconds: 3600 }, silentLogger);
  assert.equal(readSysctl(established), '432000');
  assert.equal(readSysctl(closeWait), '3600');
  await plane.remove();
});
