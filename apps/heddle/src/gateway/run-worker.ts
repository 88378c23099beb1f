import type { Registry } from '@heddle/discovery';
import type { Part, Runtime } from '@heddle/kernel';
import { exitCodes, type World } from '../command.ts';
import { supervisorChannel } from '../node/cluster-workers.ts';
import { runServer } from '../node/run-server.ts';
import { beginEngine, obey, told } from './worker.ts';

/** What a worker has of its own. */
export interface WorkerRun {
  readonly runtime: Runtime;
  /** Sends spans and log lines on. */
  readonly telemetry: Part;
  readonly registry: Registry | undefined;
  readonly files: (name: string) => Uint8Array | undefined;
}

/** Serves what the supervisor says until that ends it by SIGTERM. Gives the exit code. */
export async function runWorker(
  { runtime, telemetry, registry, files }: WorkerRun,
  world: World,
): Promise<number> {
  const channel = supervisorChannel();
  // What the terminal sends goes to the supervisor too, which takes its workers down in order.
  const own: World = {
    ...world,
    onSignal: (listener) =>
      world.onSignal((signal) => {
        if (signal === 'SIGTERM') listener(signal, 1);
      }),
  };
  try {
    const { engine, number } = await beginEngine(channel, runtime, registry, files);
    obey(channel, engine, runtime);
    const serving: Part = {
      name: 'supervisor',
      start: async () => channel.send({ kind: 'serving', number, address: engine.address }),
      stop: () => Promise.resolve(),
    };
    const parts = [telemetry, ...engine.parts, serving];
    return await runServer({ name: 'gateway', runtime, parts }, own, () => ({}));
  } catch (thrown) {
    channel.send({ kind: 'failed', error: told(thrown) });
    return exitCodes.failed;
  }
}
