import { comparePositions, type Position, type Registry, remoteRegistry } from '@heddle/discovery';
import { type Runtime, sleep } from '@heddle/kernel';
import type { Book } from './book.ts';
import { registryAddress } from './registry-program.ts';

/** The one service that all keepers register instances of. */
export const keptService = 'kept';
const idsEach = 4;

/** A keeper at work. */
export interface RunningKeeper {
  /** What the registry knows now. */
  readonly registry: Registry;
  /** No more wishes; what stands is kept. */
  rest(): void;
}

/** Registers, changes and takes back instances at random, reads, and watches; writes all of it into the book. */
export function runKeeper(runtime: Runtime, name: string, ttlMs: number, book: Book): RunningKeeper {
  const registry = remoteRegistry({ runtime, addresses: [registryAddress], ttlMs, timeoutMs: 2000 });
  // What stands stated, and whether the registry has it. To take back what was not stated is to do nothing; and if the
  // registry never heard of the statement, it may go on with an older one of ours until the lease of that runs out.
  const stated = new Map<string, boolean>();
  let resting = false;
  const loop = async (step: () => Promise<void>): Promise<void> => {
    for (;;) {
      await sleep(runtime.timers, runtime.random.float() * 200);
      if (resting) return;
      await step();
    }
  };
  start(runtime, () => loop(() => wishOnce(runtime, registry, name, { book, stated })));
  start(runtime, () => loop(() => readOnce(registry, book)));
  start(runtime, () => follow(registry));
  return {
    registry,
    rest: () => {
      resting = true;
    },
  };
}

/** In a task of its own, so that what it throws is the program's uncaught mistake and fails the world. */
function start({ timers }: Runtime, run: () => Promise<void>): void {
  timers.soon(() => {
    run().catch((mistake: unknown) => {
      timers.soon(() => {
        throw mistake;
      });
    });
  });
}

async function wishOnce(
  { random, log }: Runtime,
  registry: Registry,
  name: string,
  { book, stated }: { readonly book: Book; readonly stated: Map<string, boolean> },
): Promise<void> {
  const id = `${name}-${random.uint32() % idsEach}`;
  if (random.float() < 0.25) {
    const wasThere = stated.get(id);
    if (wasThere === undefined) return;
    stated.delete(id);
    book.wish(id, undefined);
    log('debug', 'takes back', { id });
    // If the registry cannot be told, the lease runs out, some time.
    const told = await registry.deregister(keptService, id).then(
      () => true,
      () => false,
    );
    log('debug', told ? 'taken back' : 'could not take back', { id });
    if (told && wasThere) book.confirm(id);
    return;
  }
  stated.set(id, false);
  const weight = 1 + (random.uint32() % 1000);
  book.wish(id, weight);
  log('debug', 'states', { id, weight });
  const { registered, problem } = await registry.register({
    service: keptService,
    id,
    address: name,
    port: 8080,
    weight,
  });
  log('debug', 'stated', { id, weight, registered, problem });
  if (!registered || problem !== undefined) return;
  stated.set(id, true);
  book.confirm(id);
}

async function readOnce(registry: Registry, book: Book): Promise<void> {
  const found = book.beginRead();
  const snapshot = await registry.instances(keptService).catch(() => undefined);
  if (snapshot !== undefined) found(snapshot);
}

/** A watch never shows an older state than before. */
async function follow(registry: Registry): Promise<void> {
  let last: Position = { term: 0, revision: 0 };
  for await (const snapshot of registry.watch(keptService)) {
    if (comparePositions(snapshot, last) < 0) {
      throw new Error(
        `the watch went back from ${last.term}/${last.revision} to ${snapshot.term}/${snapshot.revision}`,
      );
    }
    last = snapshot;
  }
}
