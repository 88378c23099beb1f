import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import { type EmbeddedPostgres, embeddedPostgres, type SqlPool, sqlPool } from '@heddle/sql';
import type { Broker } from '../../broker.ts';
import { broker } from '../../bus/engine-broker.ts';
import { brokerContract } from '../../testing/broker-contract.ts';
import type { BrokerStage } from '../../testing/broker-stage.ts';
import { postgresEngine } from './postgres-engine.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
// Long beside the pauses of a busy machine.
const leaseMs = 3000;
let folder: string;
let server: EmbeddedPostgres;
let databases = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-messaging-'));
  server = embeddedPostgres({ runtime, folder });
  await server.start();
});

after(async () => {
  await server.stop();
  await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

async function makeStage(): Promise<BrokerStage> {
  databases += 1;
  const url = await server.createDatabase(`d${databases}`);
  const lives = new Map<Broker, { readonly life: MortalRuntime; readonly pool: SqlPool }>();
  return {
    runtime,
    leaseMs,
    faults: {},
    open: async () => {
      const life = mortalRuntime(runtime);
      const pool = sqlPool(url, { runtime, maxConnections: 5 });
      const engine = await postgresEngine({ runtime: life, pool, url, leaseMs, pollMs: 250 });
      const opened = broker(engine, { runtime: life, source: 'test' });
      lives.set(opened, { life, pool });
      return opened;
    },
    crash: async (dying) => lives.get(dying)?.life.die(),
    close: async () => {
      for (const [each, { life, pool }] of lives) {
        if (life.alive) await each.close();
        await pool.stop();
      }
    },
  };
}

brokerContract('postgres', makeStage);
