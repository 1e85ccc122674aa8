import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { bootUml, umlObstacle } from './uml/boot.ts';
import { readEvent } from './uml/events.ts';

/**
 * Runs the tests in steps: unit tests (some at once), tests in network namespaces, tests inside User-Mode Linux, and whole
 * journeys (one at a time, because they measure time-outs and use the processor alone). Prints one summary line at the
 * end.
 */

const root = resolve(import.meta.dirname, '..');

interface Step {
  readonly name: string;
  readonly files: readonly string[];
  readonly concurrency: number;
  /** Why the step can't run here; undefined when it can. */
  readonly obstacle: string | undefined;
  /** In a kernel of its own, all files in one boot. */
  readonly isUml?: boolean;
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
  const tests = find([
    'src/**/*.test.ts',
    'test/repo/**/*.test.ts',
    'test/conformance/**/*.test.ts',
    'test/fuzz/**/*.test.ts',
    'examples/**/*.test.ts',
    'bench/**/*.test.ts',
  ]);
  const isNamespaced = (file: string): boolean => file.endsWith('.netns.test.ts');
  const isUml = (file: string): boolean => file.endsWith('.uml.test.ts');
  const isUnit = (file: string): boolean => !isNamespaced(file) && !isUml(file);
  const system = find(['test/system/**/*.test.ts']);
  const needsRoot = (file: string): boolean => !file.endsWith('.rootless.test.ts');
  const obstacle = namespaceObstacle();
  return [
    { name: 'unit', files: chosen(tests.filter(isUnit)), concurrency: 2, obstacle: undefined },
    { name: 'network namespaces', files: chosen(tests.filter(isNamespaced)), concurrency: 1, obstacle },
    {
      name: 'User-Mode Linux',
      files: chosen(tests.filter(isUml)),
      concurrency: 1,
      obstacle: umlObstacle(),
      isUml: true,
    },
    { name: 'system', files: chosen(system.filter(needsRoot)), concurrency: 1, obstacle },
    {
      name: 'system without root',
      files: chosen(system.filter((file) => !needsRoot(file))),
      concurrency: 1,
      obstacle: undefined,
    },
  ];
}

function count(event: TestEvent, counts: Counts): void {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return;
  const { details, name } = event.data;
  if (details.type === 'suite') return;
  if (event.type === 'test:fail') counts.failed += 1;
  else if (name.endsWith('.test.ts')) return;
  else if (event.data.skip === undefined) counts.passed += 1;
  else counts.skipped += 1;
}

/** Counts the events of a runner and prints them, until its end. */
function report(events: Readable, counts: Counts): Promise<void> {
  const { promise, resolve: finished } = Promise.withResolvers<void>();
  events.on('data', (event: TestEvent) => count(event, counts));
  const printed = events.compose(new spec());
  printed.on('end', finished);
  printed.pipe(process.stdout, { end: false });
  return promise;
}

function runHere(step: Step, counts: Counts, update: boolean): Promise<void> {
  const events = run({
    files: step.files.map((file) => resolve(root, file)),
    concurrency: step.concurrency,
    // A file that takes longer hangs; journeys with many kubectl versions take minutes.
    timeout: step.name.startsWith('system') ? 600_000 : 180_000,
    execArgv: update ? ['--test-update-snapshots'] : [],
  });
  return report(events, counts);
}

/** A kernel that does not come up, or does not come back, is a failure with all it said. */
async function runInUml(step: Step, counts: Counts): Promise<void> {
  const events = new PassThrough({ objectMode: true });
  const reported = report(events, counts);
  const { status, console: said } = await bootUml({
    command: [process.execPath, 'test/uml/run-inside.ts', ...step.files],
    timeoutMs: 480_000,
    onLine(line) {
      const event = readEvent(line);
      if (event === undefined) console.log(line);
      else events.write(event);
    },
  });
  events.end();
  await reported;
  if (status === 0) return;
  counts.failed += 1;
  console.log(`User-Mode Linux ended ${status === undefined ? 'without a result' : `with ${status}`}:\n${said}`);
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
  await (step.isUml === true ? runInUml(step, counts) : runHere(step, counts, values.update));
}
console.log(notRun.join('\n'));
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
