import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCorpus } from './corpus.ts';
import { fuzz, replay } from './fuzzer.ts';
import { targets } from './targets.ts';

/** Of each target; `npm run fuzz` gives millions. */
const inputs = 3000;

for (const target of targets) {
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
