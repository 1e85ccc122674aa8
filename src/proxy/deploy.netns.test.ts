import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';

const here = import.meta.dirname;

/** The capabilities that the manifest gives the proxy's container. */
function capabilities(): readonly string[] {
  const documents = parseAllDocuments(readFileSync(join(here, '../../deploy/proxy.yaml'), 'utf8'));
  const daemonSet = documents.map((each) => each.toJS()).find(({ kind }) => kind === 'DaemonSet');
  const [{ securityContext }] = daemonSet.spec.template.spec.containers;
  assert.deepEqual(securityContext.capabilities.drop, ['ALL']);
  return securityContext.capabilities.add;
}

test('the capabilities of the manifest are enough to program nftables, and to clean up', () => {
  const program = `
    import { createNftablesPlane } from '${join(here, 'nftables/plane.ts')}';
    import { removeKubeProxy } from '${join(here, 'kube-proxy-remains/remove.ts')}';
    import { network } from '${join(here, 'contract/worlds.ts')}';
    import { nftablesObstacle } from '${join(here, 'nftables/obstacle.ts')}';
    const obstacle = nftablesObstacle();
    const plane = createNftablesPlane({ network });
    await plane.adopt([]);
    await plane.remove();
    console.log(JSON.stringify({ obstacle: obstacle ?? 'none', removed: removeKubeProxy() }));
    process.exit();
  `;
  const own = capabilities().map((name) => `+${name.toLowerCase()}`);
  const limits = ['--bounding-set', ['-all', ...own].join(','), '--inh-caps', ['-all', ...own].join(',')];
  const node = [process.execPath, '--input-type=module', '--no-warnings', '-e', program];
  const output = execFileSync('unshare', ['--net', 'setpriv', ...limits, ...node], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(output), { obstacle: 'none', removed: [] });
});
