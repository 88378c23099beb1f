// `npm run contracts -- [area] [--json] …`: the contract suites of an area, or of all of them; see `usage`.
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { areas } from './contracts/areas.ts';
import { writeTable } from './contracts/document.ts';
import { endNaturally } from './contracts/natural-end.ts';
import type { Contract, ContractResult } from './contracts/result.ts';
import { runSideBySide } from './contracts/side-by-side.ts';

const usage = `usage: npm run contracts -- [area] [--backend <name>] [--case <text>] [--json] [--output <file>] [--write-docs]
areas: ${Object.keys(areas).join(', ')}; without one, all of them
--backend runs the suite of that backend alone, --case the cases with that text in their names
--write-docs puts the table of each area into its page of the documentation`;

/** The page of each area that has a table. */
const pages: Readonly<Record<string, string>> = {
  api: 'docs/api.md',
  boundaries: 'docs/boundaries.md',
  config: 'docs/config.md',
  discovery: 'docs/discovery.md',
  eventstore: 'docs/event-store.md',
  mesh: 'docs/mesh.md',
  messaging: 'docs/messaging.md',
  telemetry: 'docs/observability.md',
  transactions: 'docs/transactions.md',
};

/** One line of JSON for each area. */
interface AreaReport {
  readonly area: string;
  readonly results: readonly ContractResult[];
}

async function main(args: readonly string[]): Promise<number> {
  const asked = parse(args);
  if (asked === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  if (asked.output !== undefined) writeFileSync(asked.output, '');
  let failed = 0;
  for (const area of asked.areas) {
    const report = { area, results: await resultsOf(area, asked) };
    const text = asked.json ? `${JSON.stringify(report)}\n` : tableOf(report);
    process.stdout.write(text);
    if (asked.output !== undefined) appendFileSync(asked.output, text);
    const page = pages[area];
    if (asked.writeDocs && page !== undefined)
      writeTable(path.join(import.meta.dirname, '..', page), area, report.results);
    failed += report.results.filter(({ status }) => status === 'fail').length;
  }
  return failed === 0 ? 0 : 1;
}

/** Areas with many suites that wait for servers: how many run at a time. */
const atATime: Readonly<Record<string, number>> = {
  config: 2,
  discovery: 3,
  mesh: 2,
  messaging: 2,
  transactions: 2,
};

function resultsOf(area: string, asked: Asked): Promise<ContractResult[]> {
  const contracts = areas[area] ?? [];
  const count = atATime[area];
  if (count === undefined || asked.backend !== undefined) return runAll(contracts, asked);
  return runSideBySide({ area, contracts, count, case: asked.case ?? '' });
}

/** A suite that breaks is a failure of its own; the others still run. */
async function runAll(
  contracts: readonly Contract[],
  { backend, case: text = '' }: Asked,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  const only = (name: string): boolean => name.includes(text);
  for (const contract of contracts) {
    if (backend !== undefined && contract.backend !== backend) continue;
    const startedMs = performance.now();
    try {
      results.push(...(await contract.run(only)));
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      results.push({
        backend: contract.backend,
        version: '',
        case: 'the suite itself',
        status: 'fail',
        detail,
      });
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stderr.write(`${contract.backend}: ${seconds} s\n`);
  }
  return results;
}

interface Asked {
  readonly areas: readonly string[];
  readonly json: boolean;
  readonly output: string | undefined;
  readonly writeDocs: boolean;
  readonly backend: string | undefined;
  readonly case: string | undefined;
}

function parse(args: readonly string[]): Asked | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        output: { type: 'string' },
        backend: { type: 'string' },
        case: { type: 'string' },
        'write-docs': { type: 'boolean', default: false },
      },
    });
    const named = positionals.length === 0 ? Object.keys(areas) : positionals;
    const known = named.every((area) => Object.hasOwn(areas, area));
    const { json, output, backend, case: text, 'write-docs': writeDocs } = values;
    // A table of some cases would take the others out of its page.
    if (writeDocs && (backend ?? text) !== undefined) return undefined;
    return known ? { areas: named, json, output, writeDocs, backend, case: text } : undefined;
  } catch {
    return undefined;
  }
}

/** Per backend: how many of each status, every case that is not a pass, and what was measured. */
function tableOf({ area, results }: AreaReport): string {
  const lines = [area];
  for (const backend of new Set(results.map((result) => result.backend))) {
    const own = results.filter((result) => result.backend === backend);
    const count = (status: ContractResult['status']): number =>
      own.filter((result) => result.status === status).length;
    const versions = [...new Set(own.map(({ version }) => version).filter((version) => version !== ''))].join(
      ', ',
    );
    lines.push(
      `  ${backend.padEnd(14)} ${versions.padEnd(18)} ${count('pass')} passed, ${count('fail')} failed, ` +
        `${count('skipped')} skipped, ${count('unsupported')} unsupported`,
    );
    for (const { case: name, status, detail } of own)
      if (status !== 'pass' || (name.includes('measured: ') && detail !== undefined))
        lines.push(`    ${status.toUpperCase()} ${name}${detail === undefined ? '' : `: ${detail}`}`);
  }
  return `${lines.join('\n')}\n`;
}

// What a failed case has left open must not keep the others waiting for long.
endNaturally(await main(process.argv.slice(2)), 10_000);
