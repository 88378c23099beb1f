import { kernelBench } from './kernel.ts';
import { type BenchResult, reportOf, tableOf } from './report.ts';

const areas: Record<string, () => Promise<BenchResult[]>> = {
  kernel: kernelBench,
};

const usage = `usage: npm run bench -- <area> [--json]\nareas: ${Object.keys(areas).join(', ')}`;

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const [area, ...more] = args.filter((arg) => arg !== '--json');
  const run = area === undefined ? undefined : areas[area];
  if (area === undefined || run === undefined || more.length > 0) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const report = reportOf(area, await run());
  process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : tableOf(report)}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
