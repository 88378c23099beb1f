// grpc.health.v1 against a server of another make: the bytes are ours, the server is @grpc/grpc-js.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { nodeRuntime } from '@heddle/kernel/node';
import { until } from '../testing/registry-stage.ts';
import { type RunningCheck, startCheck } from './running-check.ts';

const runtime = { ...nodeRuntime({ name: 'test' }), log: (): void => {} };
const plain = (bytes: Buffer): Buffer => bytes;
const path = '/grpc.health.v1.Health';
const method = { requestSerialize: plain, requestDeserialize: plain, responseSerialize: plain };
const definition = {
  check: {
    ...method,
    path: `${path}/Check`,
    requestStream: false,
    responseStream: false,
    responseDeserialize: plain,
  },
  watch: {
    ...method,
    path: `${path}/Watch`,
    requestStream: false,
    responseStream: true,
    responseDeserialize: plain,
  },
} as const;

/** A server whose health can be set; with or without Watch. */
class HealthServer {
  status = 1;
  checks = 0;
  readonly watches = new Set<grpc.ServerWritableStream<Buffer, Buffer>>();
  readonly asked: string[] = [];
  port = 0;
  #server = new grpc.Server();
  readonly #offersWatch: boolean;

  constructor(offersWatch: boolean) {
    this.#offersWatch = offersWatch;
  }

  async start(): Promise<void> {
    const { check, watch } = definition;
    this.#server = new grpc.Server();
    const answer: grpc.handleUnaryCall<Buffer, Buffer> = (call, done) => {
      this.checks += 1;
      this.asked.push(call.request.subarray(2).toString());
      if (this.asked.at(-1) === 'no.Such') done({ code: grpc.status.NOT_FOUND, details: 'no such service' });
      else done(null, Buffer.from([8, this.status]));
    };
    const stream: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
      this.watches.add(call);
      call.on('cancelled', () => this.watches.delete(call));
      call.write(Buffer.from([8, this.status]));
    };
    if (this.#offersWatch) this.#server.addService({ check, watch }, { check: answer, watch: stream });
    else this.#server.addService({ check }, { check: answer });
    const credentials = grpc.ServerCredentials.createInsecure();
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.port}`, credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  set(status: number): void {
    this.status = status;
    for (const watch of this.watches) watch.write(Buffer.from([8, status]));
  }

  stop(): void {
    this.watches.clear();
    this.#server.forceShutdown();
  }
}

describe('a gRPC check of a server of grpc-js', { timeout: 60_000 }, () => {
  const ends: (() => void)[] = [];
  after(() => {
    for (const end of ends) end();
  });

  async function stage(
    offersWatch: boolean,
    intervalMs: number,
    service = 'shop.Order',
  ): Promise<[HealthServer, RunningCheck]> {
    const server = new HealthServer(offersWatch);
    await server.start();
    const running = startCheck({
      runtime,
      address: { host: '127.0.0.1', port: server.port },
      check: { kind: 'grpc', service },
      intervalMs,
      timeoutMs: 2000,
      fall: 2,
      rise: 1,
    });
    ends.push(() => {
      running.stop();
      server.stop();
    });
    return [server, running];
  }

  const becomes = (running: RunningCheck, health: string, withinMs = 5000): Promise<void> =>
    until(runtime, `it is ${health}, and not ${running.health}`, withinMs, () => running.health === health);

  it('asks again and again where Watch is not offered, and asks for Watch once', async () => {
    const [server, running] = await stage(false, 100);
    await becomes(running, 'passing');
    assert.equal(server.asked[0], 'shop.Order');
    server.set(2);
    await becomes(running, 'critical');
    assert.match(running.why, /NOT_SERVING/);
    server.set(1);
    await becomes(running, 'passing');
  });

  it('hears of a change by Watch long before the next check', async () => {
    const [server, running] = await stage(true, 60_000);
    await until(runtime, 'it watches', 5000, () => server.watches.size === 1);
    await becomes(running, 'passing');
    const { checks } = server;
    server.set(2);
    await becomes(running, 'critical', 1000);
    server.set(1);
    await becomes(running, 'passing', 1000);
    assert.equal(server.checks, checks);
    running.stop();
    await until(runtime, 'the watch has ended', 2000, () => server.watches.size === 0);
  });

  it('a server that goes away is critical, and passes and is watched again when it is back', async () => {
    const [server, running] = await stage(true, 200);
    await until(runtime, 'it watches', 5000, () => server.watches.size === 1);
    server.stop();
    await becomes(running, 'critical');
    await server.start();
    await becomes(running, 'passing', 10_000);
    await until(runtime, 'it watches again', 10_000, () => server.watches.size === 1);
  });

  it('a service that the server does not know is critical, and says so', async () => {
    const [, running] = await stage(false, 100, 'no.Such');
    await becomes(running, 'critical');
    assert.match(running.why, /not_found: no such service/);
  });
});
