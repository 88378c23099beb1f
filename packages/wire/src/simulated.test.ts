// Server and endpoint over the simulated network: under a seed, in virtual time, with faults.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, HeddleError, perform, settle } from '@heddle/kernel';
import { type SimulatedRuntime, simulatedRuntime } from '@heddle/kernel/simulated';
import { type Endpoint, endpoint } from './endpoint.ts';
import { streamBody, wholeBody } from './message/body.ts';
import { Fields } from './message/fields.ts';
import type { HttpRequest, HttpService } from './message/http.ts';
import { type HttpServer, serve } from './server.ts';

const address = { host: 'local', port: 8080 };
const protocols = ['http1', 'http2'] as const;

const post = (path: string, body: HttpRequest['body']): HttpRequest => {
  return { method: 'POST', scheme: 'http', authority: 'a', path, fields: new Fields(), body };
};

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(bytes, String(index % 10));
}

interface World {
  readonly runtime: SimulatedRuntime;
  readonly server: HttpServer;
  readonly target: Endpoint;
}

async function world(service: HttpService, protocol: 'http1' | 'http2', seed = 1): Promise<World> {
  const runtime = simulatedRuntime({ seed });
  const server = await runtime.time.run(serve(service, { runtime, address }));
  const target = endpoint({ runtime, address: server.address, protocol });
  return { runtime, server, target };
}

async function end({ runtime, server, target }: World): Promise<void> {
  target.close();
  await runtime.time.run(server.stop());
  await runtime.time.advance(60_000);
}

const echo: HttpService = async ({ body }) => ({ status: 200, fields: new Fields(), body });

for (const protocol of protocols) {
  describe(`${protocol} over a simulated network`, () => {
    it('streams both ways at once, whole and in order', async () => {
      const made = await world(echo, protocol);
      const { runtime, target } = made;
      const exchange = async (): Promise<number> => {
        const call = Call.root(runtime);
        const { body } = await perform(target.request, post('/', streamBody(chunks(100, 1000))), call);
        const content = await body.bytes(10_000_000);
        for (let index = 0; index < 100; index++) assert.equal(content[index * 1000], 0x30 + (index % 10));
        return content.byteLength;
      };
      const sizes = await runtime.time.run(Promise.all([exchange(), exchange(), exchange()]));
      assert.deepEqual(sizes, [100_000, 100_000, 100_000]);
      assert.equal(target.inFlight, 0);
      await end(made);
    });

    it('leaves nothing behind: no connection, no timer', async () => {
      const made = await world(echo, protocol);
      const { runtime, target, server } = made;
      await runtime.time.run(
        perform(target.request, post('/', wholeBody(Buffer.from('x'))), Call.root(runtime)),
      );
      await runtime.time.run(target.drain());
      await runtime.time.run(server.drain());
      assert.equal(server.connections, 0);
      await end(made);
      assert.equal(runtime.time.pending, 0);
    });

    it('lets a source wait for a reader that does not read', async () => {
      let given = 0;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for (; given < 1000; given++) yield Buffer.alloc(10_000);
      };
      const service: HttpService = async () => ({
        status: 200,
        fields: new Fields(),
        body: streamBody(source()),
      });
      const made = await world(service, protocol);
      const { runtime, target } = made;
      const call = Call.root(runtime);
      const { body } = await runtime.time.run(
        perform(target.request, post('/', wholeBody(Buffer.from(''))), call),
      );
      await runtime.time.advance(5000);
      assert.ok(given < 200, `${given} of 1000 chunks were made though nobody reads`);
      body.cancel();
      await runtime.time.advance(5000);
      assert.equal(target.inFlight, 0);
      await end(made);
    });

    it('cancels the service’s call when the caller gives up', async () => {
      let cancelled: HeddleError | undefined;
      const service: HttpService = (_request, call) =>
        new Promise((_resolve, reject) => {
          call.onCancel((error) => {
            cancelled = error;
            reject(error);
          });
        });
      const made = await world(service, protocol);
      const { runtime, target } = made;
      const call = Call.root(runtime);
      const asking = settle(target.request, post('/', wholeBody(Buffer.from('x'))), call);
      await runtime.time.advance(1000);
      call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'TOO_LATE', message: 'too late' }));
      const result = await runtime.time.run(asking);
      assert.ok(!result.ok && result.error.reason === 'TOO_LATE');
      await runtime.time.advance(1000);
      assert.notEqual(cancelled, undefined);
      await end(made);
    });

    it('does the same under the same seed', async () => {
      const run = async (seed: number): Promise<readonly number[]> => {
        const made = await world(echo, protocol, seed);
        const { runtime, target } = made;
        const times: number[] = [];
        const one = async (index: number): Promise<void> => {
          const call = Call.root(runtime);
          const { body } = await perform(target.request, post('/', streamBody(chunks(index, 300))), call);
          await body.bytes(1_000_000);
          times.push(runtime.clock.nowMs());
        };
        await runtime.time.run(Promise.all(Array.from({ length: 20 }, (_, index) => one(index))));
        await end(made);
        return times;
      };
      assert.deepEqual(await run(7), await run(7));
    });
  });
}
