// A short campaign over each target, after the inputs that something was once found with.
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { campaign } from './campaign.ts';
import { readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Finding, type Target } from './target.ts';
import { targets } from './targets/targets.ts';

// Inputs, not seconds: a slow machine must do the same.
const inputs = 1200;
const seed = 20_261_121;

for (const target of targets) {
  describe(`fuzz ${target.name}`, () => {
    test('the corpus', async () => {
      for (const { file } of readCorpus(target.name)) {
        const signature = await target.run(readFileSync(file));
        assert.equal(typeof signature, 'string', file);
      }
    });

    test(`${inputs} inputs`, async () => {
      const coverage = new Coverage();
      await coverage.start();
      const report = await campaign(target, {
        seed,
        coverage,
        corpus: readCorpus(target.name).map(({ input }) => input),
        enough: (count) => count >= inputs,
      });
      coverage.stop();
      const { found } = report;
      assert.equal(
        found,
        undefined,
        `${found?.problem}: ${JSON.stringify(Buffer.from(found?.input ?? []).toString('latin1'))}`,
      );
      assert.ok(report.signatures > 15, `${report.signatures} signatures: the inputs do not get far`);
    });
  });
}

test('a fault is found, made small and named', async () => {
  const broken: Target = {
    name: 'grpc',
    seeds: [Buffer.from('\0hello'), Buffer.from('\0wrong, and much else that does not matter')],
    dictionary: [Buffer.from('x')],
    generate: (chance) => Buffer.from(`\0${chance.below(1000)}`),
    pieces: (input) => [input],
    run: async (input) => {
      if (Buffer.from(input).includes('wro')) throw new Finding('wrong: it says so');
      return 'right';
    },
  };
  const report = await campaign(broken, { seed: 1, corpus: [], enough: (count) => count > 5000 });
  assert.equal(Buffer.from(report.found?.input ?? []).toString(), '\0wro');
  assert.equal(report.found?.problem, 'wrong: it says so');
});

test('what escapes as a rejection is found', async () => {
  const leaking: Target = {
    name: 'grpc',
    seeds: [Buffer.from('\0a')],
    dictionary: [Buffer.from('x')],
    generate: () => Buffer.from('\0a'),
    pieces: (input) => [input],
    run: async () => {
      void Promise.reject(new Error('lost'));
      return 'done';
    },
  };
  const report = await campaign(leaking, { seed: 1, corpus: [], enough: (count) => count > 10 });
  assert.match(report.found?.problem ?? '', /^escaped: Error: lost/);
});
