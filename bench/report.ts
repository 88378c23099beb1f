import { cpus, totalmem } from 'node:os';

/** What an area may be told. */
export interface BenchOptions {
  /** A few seconds instead of minutes: shows that everything runs, its numbers mean little. */
  readonly quick: boolean;
  /** The one result to measure. */
  readonly only?: string;
}

/** One line of a bench: ours beside a peer's. `ratio` above 1 means that ours is better, times and memory turned round. */
export interface BenchResult {
  readonly name: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: number;
  readonly peer: string;
  readonly peerValue: number;
  readonly ratio: number;
  /** Where the value is a cost: how many a second were done while it was measured. */
  readonly perSecond?: number;
  readonly peerPerSecond?: number;
  /** Which one, of several that share the peer's name; or under what circumstances. */
  readonly detail?: string;
  /** What the project holds itself to, where it does. */
  readonly goal?: string;
  readonly goalMet?: boolean;
}

/** A peer that was not measured, and why. */
export interface SkippedPeer {
  readonly name: string;
  readonly peer: string;
  readonly reason: string;
}

/** What an area measured. */
export interface BenchOutcome {
  readonly results: readonly BenchResult[];
  readonly skipped: readonly SkippedPeer[];
}

/** What `npm run bench -- <area> --json` prints. */
export interface BenchReport extends BenchOutcome {
  readonly area: string;
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
  };
}

/** Adds the machine to the results of an area. */
export function reportOf(area: string, outcome: BenchOutcome): BenchReport {
  const [cpu] = cpus();
  const machine = {
    node: process.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  return { area, machine, ...outcome };
}

/** The machine in a few words. */
export function machineOf({ machine }: BenchReport): string {
  return `Node ${machine.node}, ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB`;
}

/** The same for people. */
export function tableOf(report: BenchReport): string {
  const rows = report.results.map(rowOf);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  const skipped = report.skipped.map(({ name, peer, reason }) => `SKIPPED ${name} beside ${peer}: ${reason}`);
  return [`${report.area}: ${machineOf(report)}`, ...lines, ...skipped].join('\n');
}

function rowOf(result: BenchResult): string[] {
  const { perSecond, peerPerSecond } = result;
  const peer = result.detail === undefined ? result.peer : `${result.peer} (${result.detail})`;
  return [
    result.name,
    `${rounded(result.value)} ${result.unit}`,
    `${peer} ${rounded(result.peerValue)}`,
    `ratio ${rounded(result.ratio)}`,
    perSecond === undefined || peerPerSecond === undefined
      ? ''
      : `${perSecond.toFixed(0)}/s beside ${peerPerSecond.toFixed(0)}/s`,
    result.goal === undefined ? '' : `${result.goalMet === true ? 'meets' : 'MISSES'} ${result.goal}`,
  ];
}

/** Three digits, or all before the point. */
export function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
