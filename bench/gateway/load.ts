// Load from the generators of others; an answer that is not a success stops the bench.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lastWords, run } from '../../scripts/engines/command.ts';
import { type Place, required } from '../../scripts/engines/engine.ts';
import { h2load } from '../../scripts/engines/nghttp2.ts';
import { pinned } from '../../scripts/engines/running.ts';
import { wrk } from '../../scripts/engines/wrk.ts';
import { coreOfLoad } from '../wire/contender.ts';
import type { Done } from '../wire/load.ts';

/** What is asked for, and how. */
export interface Asking {
  readonly secure?: boolean;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const connections = 64;

/** Gets it over 64 kept connections of HTTP/1.1 for `durationMs`, as fast as it goes. */
export async function loadFull({ host, port }: Place, asking: Asking, durationMs: number): Promise<Done> {
  const { path: program } = await required(wrk);
  const headers = Object.entries(asking.headers ?? {}).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const url = `${asking.secure === true ? 'https' : 'http'}://${host}:${port}${asking.target}`;
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${Math.max(1, Math.round(durationMs / 1000))}s`,
    ...headers,
    url,
  ];
  const output = await generated(program, args, durationMs);
  const counted = /^\s*(\d+) requests in ([\d.]+)s/m.exec(output);
  if (counted === null || Number(counted[1]) === 0 || /Non-2xx|Socket errors/.test(output))
    throw new Error(`wrk was not content: ${lastWords(output)}`);
  return { calls: Number(counted[1]), elapsedMs: Number(counted[2]) * 1000 };
}

const warmCalls = 20_000;
const warmMs = 15_000;

/** Until it has been asked so often that all of it is compiled, however slow the machine is; but not for ever. */
export async function warmUp(place: Place, asking: Asking): Promise<void> {
  const giveUpAt = performance.now() + warmMs;
  for (let calls = 0; calls < warmCalls && performance.now() < giveUpAt; )
    calls += (await loadFull(place, asking, 2000)).calls;
}

/**
 * Gets it at a fixed rate over the same connections and gives the 99th percentile of the times, in milliseconds. A
 * request that is late because the one before it was slow counts from when it was sent: so all are measured alike.
 */
export async function loadAtRate(
  place: Place,
  target: string,
  perSecond: number,
  durationMs: number,
): Promise<number> {
  const { path: program } = await required(h2load);
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-bench-rate-'));
  const log = path.join(folder, 'times');
  try {
    const seconds = Math.max(1, Math.round(durationMs / 1000));
    const args = [
      '--h1',
      `--clients=${connections}`,
      `--duration=${seconds}`,
      `--rps=${(perSecond / connections).toFixed(2)}`,
      `--log-file=${log}`,
      `http://${place.host}:${place.port}${target}`,
    ];
    const output = await generated(program, args, durationMs);
    if (!/ 0 4xx, 0 5xx/.test(output)) throw new Error(`h2load was not content: ${lastWords(output)}`);
    return percentile(readFileSync(log, 'utf8'), 0.99);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of a log of h2load: start, status and microseconds in each line. */
function percentile(log: string, share: number): number {
  const micros = log
    .split('\n')
    .map((line) => Number(line.split('\t')[2]))
    .filter((each) => each > 0)
    .sort((a, b) => a - b);
  const found = micros[Math.min(micros.length - 1, Math.floor(micros.length * share))];
  if (found === undefined) throw new Error('h2load has logged nothing');
  return found / 1000;
}

async function generated(program: string, args: readonly string[], durationMs: number): Promise<string> {
  const [command, all] = pinned(program, args, coreOfLoad());
  const ended = await run(command, all, { timeoutMs: durationMs + 60_000 });
  if (ended.code !== 0) throw new Error(`${program} ended with ${ended.code}: ${lastWords(ended.output)}`);
  return ended.output;
}
