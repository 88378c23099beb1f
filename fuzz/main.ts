// `npm run fuzz -- [--minutes N] [--seed S] [--target name] [--replay file]`: the wire engine under hostile bytes.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { campaign } from './campaign.ts';
import { keepFinding, keepInteresting, readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Strays } from './strays.ts';
import { type Target, targetNames } from './target.ts';
import { targets } from './targets/targets.ts';
import { Watchdog } from './watchdog.ts';

const usage = `usage: npm run fuzz -- [--minutes N] [--seed S] [--target ${targetNames.join('|')}] [--replay file]
Without a target each gets its share of the minutes (default 1). --keep writes what is interesting to fuzz/corpus.`;
// Bounds what is committed: the corpus is a start, and a campaign grows its own from there.
const mostFiles = 40;
const mostShown = 1000;

interface Asked {
  readonly minutes: number;
  readonly seed: number;
  readonly chosen: readonly Target[];
  readonly replay: string | undefined;
  readonly keep: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const asked = parse(args);
  if (asked === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  if (asked.replay !== undefined) return replay(asked.replay, asked.chosen);
  exposeGarbageCollection();
  const coverage = new Coverage();
  await coverage.start();
  let failed = 0;
  for (const target of asked.chosen) if (!(await fuzz(target, asked, coverage))) failed++;
  coverage.stop();
  return failed === 0 ? 0 : 1;
}

async function fuzz(
  target: Target,
  { minutes, seed, chosen, keep }: Asked,
  coverage: Coverage,
): Promise<boolean> {
  const started = performance.now();
  const untilMs = started + (minutes * 60_000) / chosen.length;
  const watchdog = new Watchdog(target);
  const { inputs, signatures, shown, interesting, found } = await campaign(target, {
    seed,
    coverage,
    corpus: readCorpus(target.name).map(({ input }) => input),
    enough: () => performance.now() > untilMs,
    running: (input) => watchdog.running(input),
  });
  await watchdog.stop();
  if (keep) for (const input of interesting) keepInteresting(target, input, mostFiles);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${found === undefined ? 'ok  ' : 'FAIL'} ${target.name.padEnd(12)} seed ${seed}: ${inputs} inputs in ${seconds} s, ` +
      `${signatures} signatures, ${coverage.blocks} blocks, ${shown} inputs worth keeping`,
  );
  if (found === undefined) return true;
  const file = path.relative(process.cwd(), keepFinding(target, found.input));
  const text = JSON.stringify(Buffer.from(found.input).toString('latin1'));
  console.log(`  ${found.problem.slice(0, mostShown)}\n  input ${text.slice(0, mostShown)}`);
  console.log(`  replay: npm run fuzz -- --target ${target.name} --replay ${file}`);
  return false;
}

async function replay(file: string, chosen: readonly Target[]): Promise<number> {
  const strays = new Strays();
  for (const target of chosen) {
    console.log(`${target.name}: ${await target.run(readFileSync(file))}`);
    const escaped = await strays.take();
    if (escaped !== undefined) throw new Error(escaped);
  }
  strays.stop();
  return 0;
}

function parse(args: readonly string[]): Asked | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string' },
        target: { type: 'string' },
        replay: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    });
    const minutes = Number(values.minutes);
    const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
    const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
    const good = minutes > 0 && Number.isInteger(seed) && chosen.length > 0;
    if (!good || (values.replay !== undefined && chosen.length > 1)) return undefined;
    return { minutes, seed, chosen, replay: values.replay, keep: values.keep };
  } catch {
    return undefined;
  }
}

function exposeGarbageCollection(): void {
  setFlagsFromString('--expose-gc');
  globalThis.gc = runInNewContext('gc') as typeof globalThis.gc;
}

process.exitCode = await main(process.argv.slice(2));
