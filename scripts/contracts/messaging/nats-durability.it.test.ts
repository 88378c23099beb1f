// JetStream acknowledges before the disk has it, unless it is told to sync: what the adapter then says and demands.
import assert from 'node:assert/strict';
import { after, before, suite, test, type TestContext } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import type { Engine } from '@heddle/messaging';
import { natsEngine } from '@heddle/messaging/nats';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { nats } from '../../engines/nats.ts';
import { quietRuntime as runtime } from './stage.ts';

const systemUser = { user: 'system', pass: 'of a test' };
let running: Running | undefined;
let missing = '';

before(async () => {
  const found = await obtain(nats);
  if (isMissing(found)) missing = found.missing;
  else running = await nats.start({ systemUser });
});

after(() => running?.stop());

/** Where the server is; undefined, and the test skipped, if there is none. */
function serverOf(t: TestContext): string | undefined {
  if (running === undefined) t.skip(missing);
  return running && `${running.address.host}:${running.address.port}`;
}

function engineOn(
  servers: string,
  demandSync?: Parameters<typeof natsEngine>[0]['demandSync'],
): Promise<Engine> {
  return natsEngine({ runtime, nats: { servers }, ...(demandSync && { demandSync }) });
}

/** Answers as a server does that was told `sync_interval: always`, or was not; Debian's cannot be told. */
async function answering(servers: string, config: object): Promise<NatsConnection> {
  const connection = await connect({ servers });
  connection.subscribe('$SYS.REQ.SERVER.PING.JSZ', {
    callback: (_, message) => void message.respond(JSON.stringify({ data: { config } })),
  });
  await connection.flush();
  return connection;
}

suite('what JetStream promises', () => {
  test('not asked whether it syncs, it is trusted with the death of its process and no more', async (t) => {
    const servers = serverOf(t);
    if (servers === undefined) return;
    const engine = await engineOn(servers);
    assert.equal(engine.promises.durable, 'process');
    await engine.close();
  });

  test('a real server that does not sync before it acknowledges is refused where that is demanded', async (t) => {
    const servers = serverOf(t);
    if (servers === undefined) return;
    await assert.rejects(engineOn(servers, { servers, ...systemUser }), (thrown) => {
      const error = HeddleError.from(thrown);
      assert.ok(error.is('failed_precondition', 'NOT_DURABLE'), error.message);
      assert.match(error.message, /sync_interval: always/);
      return true;
    });
  });

  test('whoever answers that it syncs is trusted with a power cut', async (t) => {
    const servers = serverOf(t);
    if (servers === undefined) return;
    for (const [config, durable] of [
      [{ sync_always: true }, 'power cut'],
      [{ sync_always: false }, 'NOT_DURABLE'],
      [{}, 'NOT_DURABLE'],
    ] as const) {
      const server = await answering(servers, config);
      const found: string = await engineOn(servers, { servers }).then(
        async (engine) => {
          await engine.close();
          return engine.promises.durable;
        },
        (thrown: unknown) => HeddleError.from(thrown).reason,
      );
      await server.close();
      assert.equal(found, durable, JSON.stringify(config));
    }
  });
});
