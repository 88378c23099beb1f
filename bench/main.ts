import path from 'node:path';
import { parseArgs } from 'node:util';
import { boundariesBench } from './boundaries/area.ts';
import { discoveryBench } from './discovery/area.ts';
import { callsBench } from './calls/area.ts';
import { configBench } from './config/area.ts';
import { consoleBench } from './console/area.ts';
import { writeDocument } from './document.ts';
import { eventStoreBench } from './eventstore/area.ts';
import { gatewayBench } from './gateway/area.ts';
import { kernelBench } from './kernel.ts';
import { meshBench } from './mesh/area.ts';
import { messagingBench } from './messaging/area.ts';
import { type BenchOptions, type BenchOutcome, reportOf, tableOf } from './report.ts';
import { telemetryBench } from './telemetry/area.ts';
import { transactionsBench } from './transactions/area.ts';
import { wireBench } from './wire/area.ts';

const areas: Record<string, (options: BenchOptions) => Promise<BenchOutcome>> = {
  eventstore: eventStoreBench,
  boundaries: boundariesBench,
  config: configBench,
  discovery: discoveryBench,
  calls: callsBench,
  console: consoleBench,
  gateway: gatewayBench,
  kernel: kernelBench,
  mesh: meshBench,
  messaging: messagingBench,
  telemetry: telemetryBench,
  transactions: transactionsBench,
  wire: wireBench,
};

const usage = `usage: npm run bench -- <area> [--json] [--quick] [--only <name>] [--write-docs]
areas: ${Object.keys(areas).join(', ')}
--quick takes seconds instead of minutes, for numbers that mean little; --only measures one result;
--write-docs puts the table into docs/performance.md`;

const documentation = path.join(import.meta.dirname, '..', 'docs', 'performance.md');

async function main(args: readonly string[]): Promise<number> {
  const asked = parse(args);
  const run = asked === undefined ? undefined : areas[asked.area];
  if (asked === undefined || run === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const { area, flags } = asked;
  const { only } = flags;
  const outcome = await run({ quick: flags.quick === true, ...(only !== undefined && { only }) });
  if (outcome.results.length === 0) {
    process.stderr.write(`${area} has no result${only === undefined ? '' : ` named ${only}`}\n`);
    return 2;
  }
  const report = reportOf(area, outcome);
  process.stdout.write(`${flags.json === true ? JSON.stringify(report, undefined, 2) : tableOf(report)}\n`);
  if (flags['write-docs'] === true) writeDocument(documentation, report);
  return 0;
}

interface Flags {
  readonly json?: boolean | undefined;
  readonly quick?: boolean | undefined;
  readonly only?: string | undefined;
  readonly 'write-docs'?: boolean | undefined;
}

function parse(args: readonly string[]): { readonly area: string; readonly flags: Flags } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        only: { type: 'string' },
        'write-docs': { type: 'boolean' },
      },
    });
    const [area, ...more] = positionals;
    const partial = values.only !== undefined || values.quick === true;
    // A table that was measured in part or in haste does not belong in the documentation.
    if (values['write-docs'] === true && partial) return undefined;
    return area === undefined || more.length > 0 ? undefined : { area, flags: values };
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
