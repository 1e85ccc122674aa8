import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { finish } from '../support/commands.ts';
import { launcher, repository, up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { waitFor } from '../support/wait.ts';

/**
 * Every example's page is run as it stands: the commands of its `sh` blocks in order, and after a block the `text` block
 * with what it prints, if there is one. In expected output `…` stands for anything within a line. A command whose output
 * does not match yet is repeated for a while, because a person would look again too.
 */

interface Step {
  readonly commands: string;
  readonly expected: string | undefined;
}

function stepsOf(page: string): readonly Step[] {
  const blocks = [...page.matchAll(/^```(sh|text)\n(.*?)^```$/gms)].map(([, language, body = '']) => ({
    language,
    body,
  }));
  return blocks.flatMap(({ language, body }, index) => {
    if (language !== 'sh') return [];
    const next = blocks[index + 1];
    return [{ commands: body, expected: next?.language === 'text' ? next.body : undefined }];
  });
}

function matches(expected: string, actual: string): boolean {
  const pattern = expected
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .trimEnd()
        .split('…')
        .map(RegExp.escape)
        .join('.*')
        .replaceAll(/(?:\\x20)+/g, ' +'),
    )
    .join('\\s*\\n');
  return new RegExp(`^${pattern}$`).test(actual.trimEnd());
}

async function runStep(system: System, { commands, expected }: Step): Promise<void> {
  const script = commands.replaceAll(/^(\s*)(?:\.\/)?fairlead /gm, `$1${launcher} `);
  await waitFor(
    async () => {
      const { code, stdout, stderr } = await finish('sh', ['-ec', script], {
        cwd: repository,
        env: { KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
      });
      assert.equal(code, 0, `${commands}${stdout}${stderr}`);
      if (expected !== undefined && !matches(expected, stdout))
        assert.fail(`expected:\n${expected}\nbut it printed:\n${stdout}`);
      return true;
    },
    { what: `the expected outcome of\n${commands}`, timeoutMs: 45_000, everyMs: 300 },
  );
}

/** The pages' addresses outside the cluster (RFC 5737) need a way out, as every machine has one; this one ends nowhere. */
function leadOutside(): void {
  const ip = (...words: string[]) => execFileSync('ip', words);
  ip('link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'far');
  for (const end of ['outside', 'far']) ip('link', 'set', end, 'up');
  ip('route', 'add', '192.0.2.0/24', 'dev', 'outside');
}

let system: System;

before(async () => {
  isolateNetwork();
  leadOutside();
  system = await up();
});

after(async () => system[Symbol.asyncDispose]());

const examples = readdirSync(join(repository, 'examples'), { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
);

for (const { name } of examples) {
  test(`the example ${name} does what its page says`, async () => {
    const steps = stepsOf(readFileSync(join(repository, 'examples', name, 'README.md'), 'utf8'));
    assert.ok(steps.length > 1, 'the page has no commands');
    for (const step of steps) await runStep(system, step);
  });
}
