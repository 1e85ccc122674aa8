import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchResult } from './result.ts';

/** Every benchmark, in the order of the report. Each file exports `run`. */
const benches: Readonly<Record<string, () => Promise<{ run: () => Promise<BenchResult> }>>> = {
  'change-to-kernel': () => import('./change-to-kernel.ts'),
  'cold-start': () => import('./cold-start.ts'),
  restart: () => import('./restart.ts'),
  'first-packet': () => import('./first-packet.ts'),
  'dns-cost': () => import('./dns-cost.ts'),
  'dns-forward': () => import('./dns-forward.ts'),
  'dns-memory': () => import('./dns-memory.ts'),
  'dns-freshness': () => import('./dns-freshness.ts'),
  'dns-overload': () => import('./dns-overload.ts'),
  'api-writes': () => import('./api-writes.ts'),
  up: () => import('./up.ts'),
};

function figuresLine(result: BenchResult): string {
  return Object.entries(result.figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}

function print(result: BenchResult, asJson: boolean): void {
  console.log(`${result.bench}: ${figuresLine(result)} ${result.unit}`);
  console.log(`  peer: ${peerText(result)}`);
  console.log(`  target: ${result.target}: ${result.met ? 'met' : 'MISSED'}`);
  if (asJson) console.log(JSON.stringify(result));
}

const rounded = (value: number | undefined): number => Number((value ?? Number.NaN).toPrecision(3));

function peerText({ peer, ratio }: BenchResult): string {
  return peer === undefined ? 'none here' : `${peer.name}: ${rounded(peer.figure)}, ratio ${rounded(ratio)}`;
}

/** One process a benchmark, so that none inherits another's heap. */
function runAlone(name: string): BenchResult {
  const output = execFileSync(process.execPath, [...process.execArgv, import.meta.filename, name, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as BenchResult;
}

function report(results: readonly BenchResult[], date: Date): string {
  const rows = results.map((result) => {
    return `| \`${result.bench}\` | ${figuresLine(result)} | ${result.unit} | ${peerText(result)} | ${result.target} | ${result.met ? 'met' : '**missed**'} |`;
  });
  return `# Benchmark report

The last run of every benchmark (\`npm run bench\`), on ${date.toISOString().slice(0, 10)}. Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}. Absolute figures drift between machines; targets are stated where they were set.

| bench | figures | unit | peer in the same run | target | result |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [name] = positionals;
if (name === undefined) {
  const results = Object.keys(benches).map((bench) => {
    const result = runAlone(bench);
    print(result, false);
    return result;
  });
  writeFileSync(join(import.meta.dirname, 'REPORT.md'), report(results, new Date()));
} else {
  const load = benches[name];
  if (load === undefined) {
    console.error(`there is no benchmark "${name}"; there are: ${Object.keys(benches).join(', ')}`);
    process.exit(2);
  }
  print(await (await load()).run(), values.json);
  process.exit(0);
}
