// The wire with the programs that everybody has at the other end, in both roles.
import assert from 'node:assert/strict';
import { chromium } from '../../engines/chromium.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { grpcGoInteropServer } from '../../engines/grpc-go.ts';
import type { Place } from '../../engines/engine.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { type Checks, httpChecks, trailerChecks } from './counterparts/checks.ts';
import { browserCases, onPage, spoken } from './counterparts/chromium.ts';
import { askTooOften, beAskedTooOften } from './counterparts/pings.ts';
import { programCases } from './counterparts/programs.ts';
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
    return [
      ...results,
      ...(await programs()),
      ...(await pings()),
      ...(await browser('http/1.1')),
      ...(await browser('h2')),
    ];
  },
};

async function programs(): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  for (const one of programCases) {
    const { tool, name } = one;
    const found = await obtain(tool);
    if (isMissing(found)) results.push(...skippedWhole(backend, `${name}: ${found.missing}`));
    else results.push(await resultOf(backend, found.version, name, () => one.run(found)));
  }
  return results;
}

async function pings(): Promise<readonly ContractResult[]> {
  const js = await resultOf(
    backend,
    '',
    'grpc-js asks our server for a sign of life too often',
    beAskedTooOften,
  );
  const found = await obtain(grpcGoInteropServer);
  const go = 'our client asks grpc-go for a sign of life too often';
  if (isMissing(found)) return [js, ...skippedWhole(backend, `${go}: ${found.missing}`)];
  return [js, await resultOf(backend, found.version, go, () => askTooOften(found))];
}

async function browser(version: 'http/1.1' | 'h2'): Promise<readonly ContractResult[]> {
  const what = `chromium before our server, ${version}`;
  const found = await obtain(chromium);
  if (isMissing(found)) return skippedWhole(backend, `${what}: ${found.missing}`);
  const results: ContractResult[] = [];
  const one = async (name: string, run: () => Promise<void>): Promise<void> => {
    results.push(await resultOf(backend, found.version, `${what}: ${name}`, run));
  };
  await one('the browser', () =>
    onPage(found, version, async (page, url, protocols) => {
      await one('is what is spoken', async () => assert.equal(await spoken(page), version));
      for (const each of browserCases[version]) await one(each.name, () => each.run(page, url));
      const method = version === 'h2' ? 'CONNECT' : 'GET';
      await one('WebSockets are asked for in its way', async () =>
        assert.deepEqual([...protocols], [`${method} websocket`]),
      );
    }),
  );
  return results;
}

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
