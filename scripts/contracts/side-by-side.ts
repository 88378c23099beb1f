// Suites that mostly wait for servers: a few at a time, each in a process of its own, for some block their event loop.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endWithUs } from '../engines/running.ts';
import type { Contract, ContractResult } from './result.ts';

/** What each process is asked for. */
export interface SideBySide {
  readonly area: string;
  readonly contracts: readonly Contract[];
  /** How many run at a time. */
  readonly count: number;
  /** Of the cases; see `contracts.ts`. */
  readonly case: string;
}

const program = path.resolve(import.meta.dirname, '../contracts.ts');

/** Results in the order of the contracts. */
export async function runSideBySide(asked: SideBySide): Promise<ContractResult[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-contracts-'));
  const waiting = [...asked.contracts.entries()];
  const results: ContractResult[][] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, { backend }] = next;
      results[at] = await runApart(asked, backend, path.join(folder, String(at)));
    }
  };
  try {
    await Promise.all(Array.from({ length: asked.count }, worker));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results.flat();
}

async function runApart(asked: SideBySide, backend: string, output: string): Promise<ContractResult[]> {
  const args = ['--conditions=@heddle/source', program, asked.area, '--backend', backend];
  const child = spawn(process.execPath, [...args, '--case', asked.case, '--json', '--output', output], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endWithUs(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  try {
    const { results } = JSON.parse(readFileSync(output, 'utf8')) as { results: ContractResult[] };
    return results;
  } catch {
    const detail = `its process ended with ${code} and said nothing`;
    return [{ backend, version: '', case: 'the suite itself', status: 'fail', detail }];
  }
}
