import { inject, planFaults, type Scenario, type World } from '@heddle/sim';
import { Fleet, type Planted, ttlMs } from './stage/fleet.ts';

// A lease must have run out, the registry must have looked (every half second), and the news must have travelled.
const goneWithinMs = ttlMs + 1000;
// After a storm: a watch notices by 15 s of silence that its connection is dead, and backs off for 3 s at most.
const convergeWithinMs = 20_000;
const stormMs = 20_000;

/**
 * A registry, three services of two instances each and two clients, over the whole stack. First a storm: crashes,
 * partitions, pauses, loss, clock jumps. Then all is put right, and the promises are collected: everybody is found
 * again, no read fails, an instance that dies leaves in time, and after an orderly end nothing is left behind.
 */
export function registryAndServices(planted: Planted = {}): Scenario {
  return {
    name: 'registry-and-services',
    summary: 'calls through discovery with retries, under crashes, partitions, pauses, loss and clock jumps',
    run: (world) => play(world, planted),
  };
}

async function play(world: World, planted: Planted): Promise<void> {
  const fleet = new Fleet(world, planted);
  await world.runUntil('the fleet finds itself', 10_000, () => fleet.converged);
  await storm(world, fleet);
  // Not only until the views are right: a client that hears nothing any more may be right by chance.
  await world.run(convergeWithinMs);
  if (!fleet.converged) world.fail('every live instance is found again', fleet.views);
  const calmMs = world.nowMs;
  world.check('no read fails while a healthy instance can be reached', () =>
    fleet.ledger.checkReadsSince(calmMs),
  );
  await world.run(3000);
  await loseOne(world, fleet);
  await fleet.stop();
  await leaveNothing(world, fleet);
}

async function storm(world: World, fleet: Fleet): Promise<void> {
  const fromMs = world.nowMs;
  const untilMs = fromMs + stormMs;
  const hosts = [fleet.registry.name, ...fleet.instances.map(({ host }) => host.name)];
  const faults = planFaults(world.random, {
    hosts,
    linked: fleet.names,
    fromMs,
    untilMs,
    everyMs: 800,
    longestMs: 8000,
  });
  inject(world, faults);
  await world.run(stormMs + 1);
  world.note('the storm is over');
}

/** One instance dies in good weather, and comes back. */
async function loseOne(world: World, fleet: Fleet): Promise<void> {
  const victim = fleet.instances[world.random.uint32() % fleet.instances.length];
  if (victim === undefined) throw new Error('the fleet has no instances');
  if (world.random.float() < 0.5) victim.host.crash();
  else victim.host.kill();
  await world.runUntil(`dead ${victim.host.name} leaves`, goneWithinMs, () => !fleet.seenByAny(victim));
  await world.run(1000);
  victim.host.restart();
  await world.runUntil(`${victim.host.name} is found again`, 5000, () => fleet.converged);
  await world.run(1000);
}

/** Longer than any idle limit: what is still there then, nobody will ever take away. */
async function leaveNothing(world: World, fleet: Fleet): Promise<void> {
  for (const name of fleet.names) {
    const open = world.network.openConnections(name);
    if (open > 0) world.fail('nothing is left', `${name} holds ${open} connections after its orderly end`);
  }
  if (fleet.ledger.open > 0) world.fail('nothing is left', `${fleet.ledger.open} calls never ended`);
  await world.run(120_000);
  if (world.time.pending > 0)
    world.fail('nothing is left', `${world.time.pending} timers after the end of all programs`);
  if (fleet.ledger.succeeded < 100)
    world.fail('calls', `only ${fleet.ledger.succeeded} succeeded: nothing was shown`);
}

export const scenario: Scenario = registryAndServices();
