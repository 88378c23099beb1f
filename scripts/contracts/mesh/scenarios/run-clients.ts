import { type ContractResult, resultOf } from '../../result.ts';
import { type ClientScenario, clientScenarios } from './client-scenarios.ts';
import { startEcho } from './echo.ts';
import type { ClientPlane } from './plane.ts';

/** How a plane takes part. */
export interface ClientSuite {
  readonly backend: string;
  readonly version: string;
  /** What it cannot do, by `ClientScenario.needs`, and why. */
  readonly cannot: Readonly<Record<string, string>>;
  readonly only: (name: string) => boolean;
  /** A plane that knows nothing yet. */
  readonly start: () => Promise<ClientPlane>;
}

/** Runs the scenarios of clients, each on a stage of its own. */
export async function runClients(suite: ClientSuite): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  for (const scenario of clientScenarios.filter(({ name }) => suite.only(name))) {
    const { backend, version } = suite;
    const why = suite.cannot[scenario.needs];
    if (why !== undefined) {
      results.push({ backend, version, case: scenario.name, status: 'unsupported', detail: why });
      continue;
    }
    const startedMs = performance.now();
    const result = await resultOf(backend, version, scenario.name, () => play(scenario, suite));
    results.push({ ...result, tookMs: performance.now() - startedMs });
  }
  return results;
}

async function play(scenario: ClientScenario, suite: ClientSuite): Promise<void> {
  const [v1, v2] = await Promise.all([startEcho('v1'), startEcho('v2')]);
  let plane: ClientPlane | undefined;
  try {
    plane = await suite.start();
    await scenario.run({ plane, v1, v2 });
  } finally {
    await plane?.close();
    v1.stop();
    v2.stop();
  }
}
