import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

/**
 * Runs the tests in three steps: unit tests (some at once), tests in network namespaces, and whole journeys (one at a
 * time, because they measure time-outs and use the processor alone). Prints one summary line at the end.
 */

const root = resolve(import.meta.dirname, '..');

interface Step {
  readonly name: string;
  readonly files: readonly string[];
  readonly concurrency: number;
  /** Why the step can't run here; undefined when it can. */
  readonly obstacle: string | undefined;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function find(patterns: readonly string[]): readonly string[] {
  return globSync([...patterns], { cwd: root, exclude: ['node_modules/**'] }).toSorted();
}

function namespaceObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'they need root, to make network namespaces';
  const tried = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : `this machine refuses network namespaces: ${tried.stderr.trim()}`;
}

function steps(wanted: readonly string[]): readonly Step[] {
  const chosen = (files: readonly string[]): readonly string[] =>
    wanted.length === 0 ? files : files.filter((file) => wanted.some((part) => file.includes(part)));
  const tests = find(['src/**/*.test.ts', 'test/repo/**/*.test.ts', 'examples/**/*.test.ts', 'bench/**/*.test.ts']);
  const isNamespaced = (file: string): boolean => file.endsWith('.netns.test.ts');
  const system = find(['test/system/**/*.test.ts']);
  const needsRoot = (file: string): boolean => !file.endsWith('.rootless.test.ts');
  const obstacle = namespaceObstacle();
  return [
    { name: 'unit', files: chosen(tests.filter((file) => !isNamespaced(file))), concurrency: 2, obstacle: undefined },
    { name: 'network namespaces', files: chosen(tests.filter(isNamespaced)), concurrency: 1, obstacle },
    { name: 'system', files: chosen(system.filter(needsRoot)), concurrency: 1, obstacle },
    {
      name: 'system without root',
      files: chosen(system.filter((file) => !needsRoot(file))),
      concurrency: 1,
      obstacle: undefined,
    },
  ];
}

function runStep(step: Step, counts: Counts, update: boolean): Promise<void> {
  const { promise, resolve: finished } = Promise.withResolvers<void>();
  const stream = run({
    files: step.files.map((file) => resolve(root, file)),
    concurrency: step.concurrency,
    // A file that takes longer hangs; journeys with many kubectl versions take minutes.
    timeout: step.name.startsWith('system') ? 600_000 : 180_000,
    execArgv: update ? ['--test-update-snapshots'] : [],
  });
  stream.on('test:pass', ({ details, skip, name }) => {
    if (details.type === 'suite' || name.endsWith('.test.ts')) return;
    if (skip === undefined) counts.passed += 1;
    else counts.skipped += 1;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed += 1;
  });
  const report = stream.compose(new spec());
  report.on('end', finished);
  report.pipe(process.stdout, { end: false });
  return promise;
}

const { values, positionals } = parseArgs({
  options: { update: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const notRun: string[] = [];
for (const step of steps(positionals.map((path) => relative(root, resolve(path)) || path))) {
  if (step.files.length === 0) continue;
  if (step.obstacle !== undefined) {
    notRun.push(`Not run: ${step.files.length} files of ${step.name} tests, because ${step.obstacle}.`);
    continue;
  }
  console.log(`\n== ${step.name}: ${step.files.length} files`);
  await runStep(step, counts, values.update);
}
console.log(notRun.join('\n'));
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
