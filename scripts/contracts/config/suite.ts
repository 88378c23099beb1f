// The config contract on one backend.
import { type ConfigCase, type ConfigNeed, configCases, type ConfigStage } from '@heddle/config/testing';
import type { Missing } from '../../engines/engine.ts';
import { type Contract, type ContractResult, skippedWhole } from '../result.ts';

/** What makes a suite. */
export interface ConfigContractOptions {
  readonly backend: string;
  /** Installs and starts what the cases share. */
  readonly prepare: () => Promise<{ readonly version: string } | Missing>;
  /** A stage with nothing in it. */
  readonly stage: (one: ConfigCase) => Promise<ConfigStage>;
  /** What the backend cannot have, and why. */
  readonly cannot?: Readonly<Partial<Record<ConfigNeed, string>>>;
  readonly end: () => Promise<void>;
}

/** One case after another, each on a stage of its own. */
export function configContract({
  backend,
  prepare,
  stage,
  cannot = {},
  end,
}: ConfigContractOptions): Contract {
  return {
    backend,
    run: async (only = () => true) => {
      const found = await prepare();
      if ('missing' in found) return skippedWhole(backend, found.missing);
      const results: ContractResult[] = [];
      try {
        for (const one of configCases.filter(({ name }) => only(name))) {
          const lacking = one.needs?.find((need) => cannot[need] !== undefined);
          const named = { backend, version: found.version, case: one.name };
          if (lacking === undefined) results.push({ ...named, ...(await outcome(one, stage)) });
          else results.push({ ...named, status: 'unsupported', detail: cannot[lacking] ?? '' });
        }
      } finally {
        await end();
      }
      return results;
    },
  };
}

async function outcome(
  one: ConfigCase,
  makeStage: (one: ConfigCase) => Promise<ConfigStage>,
): Promise<Pick<ContractResult, 'status' | 'detail' | 'tookMs'>> {
  const startedMs = performance.now();
  const took = (): { readonly tookMs: number } => ({ tookMs: Math.round(performance.now() - startedMs) });
  try {
    const stage = await makeStage(one);
    try {
      const measured = await one.run(stage);
      return { status: 'pass', ...(measured !== undefined && { detail: measured }), ...took() };
    } finally {
      await stage.close();
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { status: 'fail', detail, ...took() };
  }
}
