import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { Endpoints } from './endpoints.ts';

before(() => isolateNetwork());

async function get(port: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

test('health, readiness and metrics are served where the settings say, and move with them', async () => {
  let [isReady, isLeaving] = [false, false];
  const metrics = createMetrics();
  metrics.counter({ name: 'fairlead_test_total', help: 'A test.' }).inc();
  using endpoints = new Endpoints({
    logger: silentLogger,
    metrics,
    isReady: () => isReady,
    isLeaving: () => isLeaving,
    shadowPage: () => undefined,
  });
  const at = (port: number) => ({ address: '127.0.0.1', port });
  endpoints.become({ health: { ...at(8080), lameDuckMs: 0 }, ready: at(8181), metrics: at(8080) });
  assert.equal(await get(8080, '/health'), '200 OK');
  assert.match(await get(8080, '/metrics'), /fairlead_test_total 1/);
  assert.equal(await get(8181, '/ready'), '503 kubernetes');
  isReady = true;
  assert.equal(await get(8181, '/ready'), '200 OK');
  isLeaving = true;
  assert.equal(await get(8181, '/ready'), '503 leaving');
  assert.match(await get(8181, '/health'), /^404 /);
  endpoints.become({ health: undefined, ready: at(8282), metrics: undefined });
  assert.equal(await get(8282, '/ready'), '503 leaving');
  await assert.rejects(get(8080, '/health'));
});
