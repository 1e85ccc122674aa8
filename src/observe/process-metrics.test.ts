import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';

test('dashboards find the processor time, memory and age of a process', () => {
  const metrics = createMetrics();
  observeProcess(metrics);
  const text = metrics.render();
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  assert.match(text, /^# TYPE process_cpu_seconds_total counter$/m);
  assert.ok(value('process_cpu_seconds_total') > 0);
  assert.ok(value('process_resident_memory_bytes') > 10 << 20);
  assert.ok(Math.abs(Date.now() / 1000 - process.uptime() - value('process_start_time_seconds')) < 5);
});
