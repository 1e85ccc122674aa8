import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCorpus } from './corpus.ts';
import { fuzz, replay } from './fuzzer.ts';
import { targets } from './targets.ts';

/** Of each target; `npm run fuzz` gives millions. A whole request takes as long as dozens of other inputs. */
const inputsOf = (name: string): number => (name === 'api-requests' ? 300 : 3000);

for (const target of targets) {
  const inputs = inputsOf(target.name);
  test(`${target.name}: everything in the corpus is read as it should be`, async () => {
    const corpus = readCorpus(target);
    assert.ok(corpus.length > 0, 'the corpus is there');
    for (const { input } of corpus) await replay(target, input);
  });

  test(`${target.name}: ${inputs} generated and damaged inputs are read as they should be`, async () => {
    const corpus = readCorpus(target).map(({ input }) => input);
    await fuzz(target, { seed: 1, inputs, corpus });
  });
}
