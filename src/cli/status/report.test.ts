import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatStatus } from './format.ts';
import { countReady } from './report.ts';

const named = (name: string, namespace = 'default') => ({ metadata: { name, namespace } });
const ready = (status: 'True' | 'False') => [{ type: 'Ready', status }];
const pod = (name: string, status: 'True' | 'False', phase: 'Running' | 'Succeeded' = 'Running') => ({
  ...named(name),
  spec: { containers: [] },
  status: { phase, conditions: ready(status) },
});
const slice = (service: string, isReady: boolean) => ({
  metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4' as const,
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: isReady } }],
});

const counts = countReady({
  nodes: [{ metadata: { name: 'box' }, spec: {}, status: { conditions: ready('True') } }],
  pods: [pod('a', 'True'), pod('b', 'False'), pod('done', 'False', 'Succeeded')],
  services: [
    { ...named('web'), spec: {} },
    { ...named('db'), spec: {} },
    { ...named('far'), spec: { type: 'ExternalName' } },
  ],
  slices: [slice('web', true), slice('db', false)],
});

test('what is ready is counted, and what is not is named', () => {
  assert.deepEqual(counts, {
    nodes: { total: 1, ready: 1, notReady: [] },
    pods: { total: 2, ready: 1, notReady: ['default/b'] },
    services: { total: 2, ready: 1, notReady: ['default/db'] },
  });
});

test('the report for people has one line for each', () => {
  const api = { server: 'https://127.0.0.1:6443', version: 'v1.36.0', answeredInMs: 2 };
  assert.equal(
    formatStatus({ run: undefined, api, ...counts }),
    [
      'API server:  https://127.0.0.1:6443 (v1.36.0, answered in 2 ms)',
      'Nodes:       1 of 1 ready',
      'Pods:        1 of 2 ready; not: default/b',
      'Services:    1 of 2 with ready endpoints; not: default/db',
      '',
    ].join('\n'),
  );
});
