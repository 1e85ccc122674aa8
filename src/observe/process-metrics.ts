import type { Metrics } from './metrics.ts';

/** The figures that Prometheus' own libraries give of every process, under their names. */
export function observeProcess(metrics: Metrics): void {
  const started = Date.now() / 1000 - process.uptime();
  metrics.observed(
    { name: 'process_cpu_seconds_total', help: 'Processor time of this process, in seconds.' },
    () => cpuSeconds(process.cpuUsage()),
    'counter',
  );
  metrics.observed({ name: 'process_resident_memory_bytes', help: 'Memory of this process that is in RAM.' }, () =>
    process.memoryUsage.rss(),
  );
  metrics.observed(
    { name: 'process_start_time_seconds', help: 'When this process started, in Unix seconds.' },
    () => started,
  );
}

function cpuSeconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
