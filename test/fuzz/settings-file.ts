import assert from 'node:assert/strict';
import type { DnsSettings } from '../../src/dns/settings/settings.ts';
import { readSettingsFile } from '../../src/dns/settings/file/settings-file.ts';
import type { SettingsFileOptions } from '../../src/dns/settings/file/settings-file.ts';
import { writeSettingsFile } from '../../src/dns/settings/file/write-settings.ts';

/** A machine with two resolvers. */
export const settingsFileOptions: SettingsFileOptions = {
  file: 'dns.yaml',
  path: (text) => text,
  resolvers: (path) => (path === '/etc/resolv.conf' ? ['192.0.2.53', '2001:db8::53'] : undefined),
};

/** Settings come back from the file that is written of them. */
export function checkWritten(settings: DnsSettings): void {
  const text = writeSettingsFile(settings);
  assert.deepEqual(readSettingsFile(text, settingsFileOptions), settings, text);
}
