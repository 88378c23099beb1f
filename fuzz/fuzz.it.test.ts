// A short campaign over each target, after the inputs that something was once found with.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import assert from 'node:assert/strict';
import { campaign } from './campaign.ts';
import { readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Finding, type Target } from './target.ts';
import { targets } from './targets/targets.ts';

// Inputs, not seconds: a slow machine must do the same.
const inputs = 300;
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
  // In a process of its own: here the test runner is the first to hear of it.
  const program = `
    import { campaign } from '${import.meta.dirname}/campaign.ts';
    const input = Buffer.from('\\0a');
    const run = async () => { void Promise.reject(new Error('lost')); return 'done'; };
    const target = { name: 'grpc', seeds: [input], dictionary: [input], generate: () => input, pieces: (all) => [all], run };
    const { found } = await campaign(target, { seed: 1, corpus: [], enough: (count) => count > 10 });
    console.log(found?.problem);`;
  const args = ['--conditions=@heddle/source', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  assert.match(stdout, /^escaped: Error: lost/);
});
