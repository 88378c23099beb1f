import { type ContractResult, resultOf } from '../../result.ts';
import type { Place } from '../../../engines/engine.ts';
import { type Echo, startEcho } from './echo.ts';
import { ownPlace } from './own-place.ts';
import type { ServerPlane } from './plane.ts';
import { type ServerScenario, serverScenarios } from './server-scenarios.ts';

/** How a plane takes part. */
export interface ServerSuite {
  readonly backend: string;
  readonly version: string;
  /** As `ClientSuite`. */
  readonly cannot: Readonly<Record<string, string>>;
  readonly only: (name: string) => boolean;
  /** A plane that is to stand at that place, before that backend. */
  readonly start: (at: Place, echo: Echo) => Promise<ServerPlane>;
}

/** Runs the scenarios of servers, each on a stage of its own. */
export async function runServers(suite: ServerSuite): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  for (const scenario of serverScenarios.filter(({ name }) => suite.only(name))) {
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

async function play(scenario: ServerScenario, suite: ServerSuite): Promise<void> {
  const echo = await startEcho('order');
  const at = await ownPlace();
  let plane: ServerPlane | undefined;
  try {
    plane = await suite.start(at, echo);
    await scenario.run({ plane, echo, at });
  } finally {
    await plane?.close();
    echo.stop();
  }
}
