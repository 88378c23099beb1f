import { cpus, totalmem } from 'node:os';

/** One line of a bench: ours beside a peer's. `ratio` above 1 means that ours is better, times and memory turned round. */
export interface BenchResult {
  readonly name: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: number;
  readonly peer: string;
  readonly peerValue: number;
  readonly ratio: number;
  /** What the project holds itself to, where it does. */
  readonly goal?: string;
  readonly goalMet?: boolean;
}

/** What `npm run bench -- <area> --json` prints. */
export interface BenchReport {
  readonly area: string;
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
  };
  readonly results: readonly BenchResult[];
}

/** Adds the machine to the results of an area. */
export function reportOf(area: string, results: readonly BenchResult[]): BenchReport {
  const [cpu] = cpus();
  const machine = {
    node: process.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  return { area, machine, results };
}

/** The same for people. */
export function tableOf(report: BenchReport): string {
  const { machine } = report;
  const head = `${report.area}: Node ${machine.node}, ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB`;
  const rows = report.results.map((result) => [
    result.name,
    `${round(result.value)} ${result.unit}`,
    `${result.peer} ${round(result.peerValue)} ${result.unit}`,
    `ratio ${round(result.ratio)}`,
    result.goal === undefined ? '' : `${result.goalMet === true ? 'meets' : 'MISSES'} ${result.goal}`,
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  return [head, ...lines].join('\n');
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
