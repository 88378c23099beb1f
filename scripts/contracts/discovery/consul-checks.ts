// The checks that the agent itself runs, of every kind, at a server of ours that falls ill, goes and comes back.
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Health } from '@heddle/discovery';
import { type ConsulCheck, consulRegistry } from '@heddle/discovery/consul';
import { recordWatch, type RegistryCase, until, user } from '@heddle/discovery/testing';
import type { Address } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { collect, Fields, frame, type HttpResponse, type HttpServer, serve, wholeBody } from '@heddle/wire';
import { consul } from '../../engines/consul.ts';
import { dataFolder } from '../../engines/cache.ts';
import type { Place } from '../../engines/engine.ts';

const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
const seenWithinMs = 30_000;

/** The cases; each has an agent of its own. */
export function agentCheckCases(): RegistryCase[] {
  const kinds: RegistryCase = {
    name: 'checks that the agent runs: gRPC, HTTP, TCP and script say when an instance is ill, and when it is well again',
    run: () => onAgent(throughIllness),
  };
  const defaults: RegistryCase = {
    name: 'checks that the agent runs: every 30 s with 5 s time, unless it is said otherwise',
    run: () => onAgent(asStated),
  };
  const removal: RegistryCase = {
    name: 'checks that the agent runs: an instance that stays critical is deregistered by Consul',
    run: () => onAgent(untilDeregistered),
  };
  // Consul takes nothing below a minute, and looks every half minute.
  return process.env['HEDDLE_CONTRACTS'] === 'short' ? [kinds, defaults] : [kinds, defaults, removal];
}

async function onAgent(work: (agent: Place, folder: string) => Promise<string>): Promise<string> {
  const folder = dataFolder('consul-checks');
  // An agent takes scripts by its API only if it is told to.
  const agent = await consul.start({ config: { enable_script_checks: true } });
  try {
    return await work(agent.address, folder);
  } finally {
    await agent.stop();
    rmSync(folder, { recursive: true });
  }
}

/** What is checked: HTTP and gRPC on one port, whose health can be set, and which can go. */
class Patient {
  isWell = true;
  #server: HttpServer | undefined;
  address: Address = { host: '127.0.0.1', port: 0 };

  async start(): Promise<void> {
    this.#server = await serve(
      async ({ path: asked, body }) => {
        await collect(body, 1024);
        return asked === '/grpc.health.v1.Health/Check' ? this.#grpcAnswer() : this.#httpAnswer();
      },
      { runtime, address: this.address },
    );
    this.address = this.#server.address;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  #grpcAnswer(): HttpResponse {
    // SERVING or NOT_SERVING, of the one field that the answer has.
    const message = frame(Uint8Array.of(8, this.isWell ? 1 : 2));
    const body = wholeBody(message, Fields.of({ 'grpc-status': '0' }));
    return { status: 200, fields: Fields.of({ 'content-type': 'application/grpc' }), body };
  }

  #httpAnswer(): HttpResponse {
    const body = wholeBody(new Uint8Array(0));
    return { status: this.isWell ? 200 : 503, fields: Fields.of({}), body };
  }
}

async function throughIllness(agent: Place, folder: string): Promise<string> {
  const file = path.join(folder, 'well');
  const times = { intervalMs: 1000, timeoutMs: 1000 };
  const checks: Record<string, ConsulCheck> = {
    grpc: { kind: 'grpc', ...times },
    http: { kind: 'http', path: '/healthz', ...times },
    script: { kind: 'script', args: ['/bin/sh', '-c', `test -e '${file}' || exit 2`], ...times },
    tcp: { kind: 'tcp', ...times },
  };
  const patient = new Patient();
  await patient.start();
  writeFileSync(file, '');
  const registries = Object.entries(checks).map(([id, check]) => ({ id, registry: open(agent, [check]) }));
  const reader = open(agent, []);
  const watch = recordWatch(reader, 'users');
  const healths = (): Record<string, Health> =>
    Object.fromEntries((watch.latest?.instances ?? []).map(({ id, health }) => [id, health]));
  const untilAll = async (what: string, wanted: Record<string, Health>): Promise<string> => {
    const sinceMs = runtime.clock.nowMs();
    const holds = (): boolean =>
      Object.keys(checks).every((id) => healths()[id] === (wanted[id] ?? wanted['others']));
    await until(runtime, what, seenWithinMs, holds).catch((late: Error) => {
      throw new Error(`${late.message}: ${JSON.stringify(healths())}`);
    });
    return `${what}: ${Math.round(runtime.clock.nowMs() - sinceMs)} ms`;
  };
  try {
    const { host: address, port } = patient.address;
    for (const { id, registry } of registries) {
      const { problem } = await registry.register(user(id, { address, port }));
      assert.equal(problem, undefined, `${id}: ${problem?.message}`);
    }
    const told = [await untilAll('all are well', { others: 'passing' })];
    patient.isWell = false;
    rmSync(file);
    told.push(await untilAll('all that ask are told of the illness', { others: 'critical', tcp: 'passing' }));
    await patient.stop();
    told.push(await untilAll('the port is closed', { others: 'critical' }));
    patient.isWell = true;
    writeFileSync(file, '');
    await patient.start();
    told.push(await untilAll('all are well again', { others: 'passing' }));
    assert.ok(existsSync(file));
    return told.join('; ');
  } finally {
    await watch.stop();
    await Promise.all([reader, ...registries.map(({ registry }) => registry)].map((each) => each.close()));
    await patient.stop();
  }
}

async function asStated(agent: Place): Promise<string> {
  const registry = open(agent, [
    { kind: 'tcp' },
    { kind: 'http', path: '/', intervalMs: 7000, timeoutMs: 2000 },
  ]);
  try {
    await registry.register(user('a'));
    const answer = await fetch(`http://${agent.host}:${agent.port}/v1/agent/checks`);
    const found = Object.values((await answer.json()) as Record<string, AgentCheck>);
    const told = found
      .filter(({ Type }) => Type !== 'ttl')
      .map(({ Type, Interval, Timeout }) => `${Type}: every ${Interval}, ${Timeout} each`)
      .toSorted();
    assert.deepEqual(told, ['http: every 7s, 2s each', 'tcp: every 30s, 5s each']);
    return told.join('; ');
  } finally {
    await registry.close();
  }
}

interface AgentCheck {
  readonly Type: string;
  readonly Interval: string;
  readonly Timeout: string;
}

async function untilDeregistered(agent: Place): Promise<string> {
  // Nobody listens there. What Consul takes away is registered again by its process, which hears of it.
  const registry = open(agent, [{ kind: 'tcp', intervalMs: 1000, deregisterAfterMs: 60_000 }]);
  try {
    const held = await registry.register(user('a', { address: '127.0.0.1', port: 1 }));
    let isLost = false;
    held.subscribe((registered) => {
      if (!registered) isLost = true;
    });
    const sinceMs = runtime.clock.nowMs();
    await until(runtime, 'the entry is lost', 130_000, () => isLost);
    return `deregistered after ${Math.round((runtime.clock.nowMs() - sinceMs) / 1000)} s, stated: 60 s`;
  } finally {
    await registry.close();
  }
}

function open(agent: Place, checks: readonly ConsulCheck[]): ReturnType<typeof consulRegistry> {
  return consulRegistry({
    runtime,
    addresses: [agent],
    ttlMs: 6000,
    timeoutMs: 5000,
    maxBlockedMs: 0,
    checks,
  });
}
