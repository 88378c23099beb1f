import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, createClient } from '@connectrpc/connect';
import { type Code, HeddleError, type Random, type Runtime, sleep } from '@heddle/kernel';
import {
  bareRuntime,
  forkSeed,
  SimulatedNet,
  SimulatedProcess,
  seededRandom,
  VirtualTime,
} from '@heddle/kernel/simulated';
import { createTransport } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { rpcServer } from './server/rpc-server.ts';

const names = ['a', 'b', 'c'] as const;

/** Three servers and a client on one simulated network. What the servers have done outlives them. */
class Scene {
  readonly time = new VirtualTime();
  readonly done: string[] = [];
  readonly client: Runtime;
  readonly network: SimulatedNet;
  readonly #seed: number;
  readonly #processes = new Map<string, SimulatedProcess>();

  constructor(seed: number) {
    this.#seed = seed;
    this.network = new SimulatedNet({ time: this.time, random: seededRandom(forkSeed(seed, 'net')) });
    this.client = this.#runtimeOf('client');
  }

  kill(name: string): void {
    this.#processes.get(name)?.end('killed');
  }

  async start(name: string): Promise<void> {
    const runtime = this.#runtimeOf(name);
    const handle = async ({
      text,
      delayMs,
    }: {
      text: string;
      delayMs: number;
    }): Promise<{ text: string; instance: string }> => {
      // Half of the work before the effect and half after it, so that a death may come on either side.
      await sleep(runtime.timers, delayMs / 2);
      this.done.push(text);
      await sleep(runtime.timers, delayMs / 2);
      return { text, instance: name };
    };
    const routes: Parameters<typeof rpcServer>[0]['routes'] = (router) =>
      router.service(EchoService, { echo: handle, append: handle });
    await rpcServer({ runtime, address: { host: '0.0.0.0', port: 80 }, routes }).start();
  }

  #runtimeOf(name: string): Runtime {
    const process = new SimulatedProcess(this.time);
    this.#processes.set(name, process);
    const net = this.network.attach(name, process);
    const bare = bareRuntime(this.time, forkSeed(this.#seed, name));
    return { ...bare, clock: process.clock, timers: process.timers, net };
  }
}

/** Kills a server, or cuts it off from the client, over and over; one at a time. */
async function torment(scene: Scene, random: Random, untilMs: number): Promise<void> {
  const { time, network } = scene;
  while (time.clock.nowMs() < untilMs) {
    await sleep(time.timers, 100 + random.float() * 300);
    const victim = names[Math.floor(random.float() * names.length)] ?? 'a';
    const outageMs = 50 + random.float() * 400;
    if (random.float() < 0.5) {
      scene.kill(victim);
      await sleep(time.timers, outageMs);
      await scene.start(victim);
    } else {
      for (const [from, to] of [
        ['client', victim],
        [victim, 'client'],
      ] as const)
        network.setLink(from, to, { blocked: true });
      await sleep(time.timers, outageMs);
      for (const [from, to] of [
        ['client', victim],
        [victim, 'client'],
      ] as const)
        network.setLink(from, to, { blocked: false });
    }
  }
}

interface Report {
  readonly succeeded: string[];
  readonly failed: Map<string, Code>;
}

async function caller(
  scene: Scene,
  echo: Client<typeof EchoService>,
  kind: 'echo' | 'append',
  name: string,
  untilMs: number,
): Promise<Report> {
  const report: Report = { succeeded: [], failed: new Map() };
  for (let n = 0; scene.time.clock.nowMs() < untilMs; n++) {
    const text = `${kind}-${name}-${n}`;
    try {
      await echo[kind]({ text, delayMs: 8 });
      report.succeeded.push(text);
    } catch (error) {
      report.failed.set(text, HeddleError.from(error).code);
    }
  }
  return report;
}

for (let seed = 1; seed <= 3; seed++) {
  test(`seed ${seed}: servers die and links break; nothing is done twice that must not be, and idempotent calls succeed`, async () => {
    const scene = new Scene(seed);
    const { time } = scene;
    const untilMs = 4000;
    const transport = createTransport({
      runtime: scene.client,
      target: 'static:///a:80,b:80,c:80',
      attempts: 5,
      attemptTimeoutMs: 150,
      timeoutMs: 5000,
    });
    const echo = createClient(EchoService, transport);
    const reports = await time.run(
      (async () => {
        for (const name of names) await scene.start(name);
        const chaos = torment(scene, seededRandom(forkSeed(seed, 'chaos')), untilMs);
        const callers = Array.from({ length: 8 }, (_, n) =>
          caller(scene, echo, n % 2 === 0 ? 'echo' : 'append', `${n}`, untilMs),
        );
        const all = await Promise.all(callers);
        await chaos;
        return all;
      })(),
    );
    transport.close();
    const succeeded = reports.flatMap((report) => report.succeeded);
    const failed = new Map(reports.flatMap((report) => [...report.failed]));
    const times = Map.groupBy(scene.done, (text) => text);
    const doneOnce = (text: string): boolean => times.get(text)?.length === 1;

    assert.ok(succeeded.length > 300, `${succeeded.length} calls`);
    assert.deepEqual(
      [...failed.keys()].filter((text) => text.startsWith('echo')),
      [],
      'idempotent calls that failed',
    );
    const effects = [...times.keys()].filter((text) => text.startsWith('append'));
    assert.deepEqual(
      effects.filter((text) => !doneOnce(text)),
      [],
      'effects applied twice',
    );
    assert.deepEqual(
      succeeded.filter((text) => !times.has(text)),
      [],
      'successes that never happened',
    );
    // The test would prove nothing if no call had been hit, or if none had been tried again.
    assert.ok(failed.size > 0, 'some call with an effect was hit');
    assert.ok(
      succeeded.some((text) => (times.get(text)?.length ?? 0) > 1),
      'some idempotent call was repeated',
    );
  });
}
