// Load by h2load: so many requests, and how many were let through.
import { run } from '../../engines/command.ts';
import { required } from '../../engines/engine.ts';
import { h2load } from '../../engines/nghttp2.ts';

/** What became of a load. */
export interface CountedLoad {
  readonly sent: number;
  /** By status class: 2, 4, 5. */
  readonly answers: Readonly<Record<2 | 3 | 4 | 5, number>>;
}

const limitMs = 600_000;

/** Sends `count` requests over `connections` HTTP/1.1 connections. Rejects if one was not answered at all. */
export async function countedLoad(url: string, count: number, connections: number): Promise<CountedLoad> {
  const { path } = await required(h2load);
  const args = ['--h1', `-n${count}`, `-c${connections}`, '-t1', url];
  const { output } = await run(path, args, { timeoutMs: limitMs });
  const codes = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  if (codes === null) throw new Error(`h2load: ${output.slice(-500)}`);
  const [, two, three, four, five] = codes.map(Number);
  const answers = { 2: two ?? 0, 3: three ?? 0, 4: four ?? 0, 5: five ?? 0 };
  const answered = answers[2] + answers[3] + answers[4] + answers[5];
  if (answered !== count)
    throw new Error(`${answered} of ${count} requests were answered: ${output.slice(-800)}`);
  return { sent: count, answers };
}

/** The same load on several at once, counted together. */
export async function countedLoads(
  urls: readonly string[],
  count: number,
  connections: number,
): Promise<CountedLoad> {
  const each = await Promise.all(urls.map((url) => countedLoad(url, count, connections)));
  const sum = (status: 2 | 3 | 4 | 5): number => each.reduce((all, { answers }) => all + answers[status], 0);
  return { sent: count * urls.length, answers: { 2: sum(2), 3: sum(3), 4: sum(4), 5: sum(5) } };
}
