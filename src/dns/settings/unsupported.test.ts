import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareSettings, defaultCluster, emptyServer } from './cluster-server.ts';
import { unsupported } from './unsupported.ts';

test('settings about names of the cluster are wrong without it, and have an effect with it', () => {
  const asking = {
    ...emptyServer,
    autopath: { search: [] },
    visibility: [{ action: 'hide', from: [], to: [] }],
    transfer: [{ zones: ['.'], clients: [], notify: [], keys: [] }],
  } as const;
  const said = unsupported({ ...bareSettings, servers: [asking] });
  assert.deepEqual(
    said.map((sentence) => sentence.split(':')[0]),
    ['autopath needs cluster', 'visibility needs cluster', 'transfer needs cluster, external or files'],
  );
  assert.deepEqual(unsupported({ ...bareSettings, servers: [{ ...asking, cluster: defaultCluster }] }), []);
});
