// The wire with the programs that everybody has at the other end, in both roles.
import { isMissing, obtain } from '../../engines/engine.ts';
import type { Place } from '../../engines/engine.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { type Checks, httpChecks, trailerChecks } from './counterparts/checks.ts';
import { betweens, type Between, clients, versionOf } from './counterparts/proxies.ts';
import { started } from './counterparts/subject.ts';
import type { Way } from './counterparts/ways.ts';

const backend = 'counterparts';

/** Each counterpart in each role, with each check, is a result. */
export const counterparts: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    const server = await started();
    try {
      for (const protocol of ['http1', 'http2'] as const)
        for (const [name, client] of Object.entries(clients[protocol]))
          results.push(
            ...(await checked(`${name} before our server`, process.version, client(server.address), {
              ...httpChecks,
              ...trailerChecks,
            })),
          );
      for (const between of betweens) results.push(...(await through(between, server.address)));
    } finally {
      await server.stop();
    }
    return results;
  },
};

/** Every client, through a proxy that is not ours, to our server. */
async function through(between: Between, upstream: Place): Promise<readonly ContractResult[]> {
  const found = await obtain(between.engine);
  if (isMissing(found)) return skippedWhole(backend, `${between.name}: ${found.missing}`);
  const version = await versionOf(between);
  const running = await between.start(upstream);
  const results: ContractResult[] = [];
  try {
    for (const [name, client] of Object.entries(clients[between.front])) {
      const what = `${between.name}, between ${name} and our server`;
      results.push(...(await checked(what, version, client(running.address), between.checks)));
    }
  } finally {
    await running.stop();
  }
  return results;
}

async function checked(
  what: string,
  version: string,
  way: Way,
  checks: Checks,
): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  try {
    for (const [name, check] of Object.entries(checks))
      results.push(await resultOf(backend, version, `${what}: ${name}`, () => check(way)));
  } finally {
    way.close();
  }
  return results;
}
