// What it costs to be observed: calls with metrics, traces (one in ten) and a line in the access log, beside none of it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { median } from '../measure.ts';
import type { BenchOptions, BenchResult } from '../report.ts';

/** The share of its throughput that observing may cost. */
const mostCost = { 'observed-rpc': 0.1, 'observed-gateway': 0.15 } as const;
const modes = ['off', 'on', 'opentelemetry'] as const;

/** `observed-rpc` and `observed-gateway`. */
export async function observedResults(
  options: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const name of ['observed-rpc', 'observed-gateway'] as const)
    if (wanted(name)) results.push(...(await observed(name, options)));
  return results;
}

/** Each mode in a process of its own; they take turns, so that a noisy neighbour hurts all alike. */
async function observed(name: keyof typeof mostCost, { quick }: BenchOptions): Promise<BenchResult[]> {
  process.stderr.write(`${name} …\n`);
  const [rounds, turnMs] = quick ? [2, 500] : [9, 1500];
  const used = name === 'observed-gateway' ? modes.slice(0, 2) : modes;
  const programs = used.map((mode) => ({
    mode,
    child: fork(path.join(import.meta.dirname, `subjects/${name}.ts`), [mode], {
      execArgv: ['--conditions=@heddle/source'],
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    }),
    micros: [] as number[],
  }));
  try {
    for (const { child } of programs) await once(child, 'message');
    for (let round = -1; round < rounds; round++)
      for (const { child, micros } of round % 2 === 0 ? programs : programs.toReversed()) {
        child.send(turnMs);
        const [cpuMicros] = (await once(child, 'message')) as [number];
        if (round >= 0) micros.push(cpuMicros);
      }
  } finally {
    for (const { child } of programs) child.kill('SIGKILL');
  }
  const cost = (mode: string): number => median(programs.find((each) => each.mode === mode)?.micros ?? []);
  const own = cost('on');
  return used
    .filter((mode) => mode !== 'on')
    .map((mode) => {
      const peerValue = cost(mode);
      const ratio = peerValue / own;
      const most = mostCost[name];
      const line = { name, subject: 'heddle, observed', unit: 'CPU us/call', value: own, peerValue, ratio };
      return mode === 'off'
        ? { ...line, peer: 'not observed', goal: `at least ${1 - most}`, goalMet: ratio >= 1 - most }
        : { ...line, peer: 'OpenTelemetry and prom-client' };
    });
}
