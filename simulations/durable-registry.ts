import type { Snapshot } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import type { Host, Scenario, World } from '@heddle/sim';
import { Book } from './stage/book.ts';
import { keptService, type RunningKeeper, runKeeper } from './stage/keeper-program.ts';
import { registryAddress, runRegistry } from './stage/registry-program.ts';

const ttlMs = 10_000;
const crashesMs = 20_000;
const keeperNames = ['keeper-1', 'keeper-2', 'keeper-3'];

/**
 * A registry whose machine loses its power again and again, at random points of its disk writes, while keepers
 * register, change and take back instances. What it has confirmed it finds again on its disk; terms only grow; no
 * reader sees time go back; and in the end all is as it was wished. `disguise` is for planting a bug.
 */
export function durableRegistry(disguise: (runtime: Runtime) => Runtime = (runtime) => runtime): Scenario {
  return {
    name: 'durable-registry',
    summary: 'a registry that loses its power at random points of its disk writes',
    run: (world) => play(world, disguise),
  };
}

async function play(world: World, disguise: (runtime: Runtime) => Runtime): Promise<void> {
  const book = new Book();
  const host = world.host(registryAddress.host);
  host.run(async (runtime) => {
    await runRegistry(disguise(runtime), ttlMs, async (registry) => {
      book.checkOpened(await registry.instances(keptService));
    });
  });
  const keepers: RunningKeeper[] = [];
  for (const name of keeperNames) {
    world.host(name).run((runtime) => {
      keepers.push(runKeeper(runtime, name, ttlMs, book));
    });
  }
  failAgainAndAgain(world, host, crashesMs);
  await world.run(crashesMs);
  for (const keeper of keepers) keeper.rest();
  // A wish that could not be told ends with its lease, which began anew with the registry's last start.
  await world.run(ttlMs + 10_000);
  book.checkAll(await readNow(world, keepers));
  if (book.openings < 3 || book.confirmed < 3) {
    world.fail('crashes', `${book.openings} starts, ${book.confirmed} confirmed wishes: nothing was shown`);
  }
}

/** Takes the power in the middle of a disk operation, or at any time, and gives it back a little later. */
function failAgainAndAgain(world: World, host: Host, untilMs: number): void {
  const { random } = world;
  const arm = (): void => {
    if (random.float() < 0.8) host.crashAtDiskOperation(1 + (random.uint32() % 40));
    else world.at(Math.min(untilMs, world.nowMs + random.float() * 3000), () => host.crash());
  };
  const look = (): void => {
    const over = world.nowMs >= untilMs;
    if (!host.running) {
      host.restart();
      if (!over) arm();
    }
    if (over) host.crashAtDiskOperation(Number.POSITIVE_INFINITY);
    else world.at(Math.min(untilMs + 1, world.nowMs + 100 + random.float() * 900), look);
  };
  arm();
  look();
}

async function readNow(world: World, keepers: readonly RunningKeeper[]): Promise<Snapshot> {
  let snapshot: Snapshot | undefined;
  void keepers[0]?.registry.instances(keptService).then((found) => {
    snapshot = found;
  });
  await world.runUntil('the registry answers', 5000, () => snapshot !== undefined);
  if (snapshot === undefined) throw new Error('there is no keeper');
  return snapshot;
}

export const scenario: Scenario = durableRegistry();
