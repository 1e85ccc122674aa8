import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterServer } from '../../dns/settings/cluster-server.ts';
import type { DnsSettings } from '../../dns/settings/settings.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { SettingsFollower } from './follow-settings.ts';

function settings(port: number): DnsSettings {
  return clusterServer({ listen: [{ address: '127.0.0.1', port }] });
}

test('settings come into service when they are looked at, and wrong ones never do', async () => {
  const seen: number[] = [];
  const errors: string[] = [];
  let next: () => DnsSettings = () => settings(1);
  const metrics = createMetrics();
  using follower = new SettingsFollower({
    dns: {
      become: async ({ servers }) => {
        const port = servers[0]?.listen[0]?.port ?? 0;
        if (port === 13) throw new Error('this port cannot be had');
        seen.push(port);
      },
    },
    read: () => next(),
    initial: settings(1),
    metrics,
    logger: { ...silentLogger, error: (message) => void errors.push(message) },
  });
  await follower.look();
  next = () => settings(2);
  await follower.look();
  next = () => {
    throw new Error('no settings');
  };
  await follower.look();
  await follower.look();
  next = () => settings(13);
  await follower.look();
  next = () => settings(3);
  await follower.look();
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(errors.length, 2, 'the same mistake is said once');
  const told = metrics.render().match(/^coredns_.*$/gm);
  assert.equal(told?.[0], 'coredns_reload_failed_total 2');
  assert.match(told?.[1] ?? '', /^coredns_reload_version_info\{hash="sha512",value="[0-9a-f]{128}"\} 1$/);
  assert.equal(told?.length, 2, 'of the settings in service alone');
});
