import { HeddleError } from '@heddle/kernel';
import { bareRuntime } from '@heddle/kernel/simulated';
import type { Host, Scenario, World } from '@heddle/sim';
import { Bank, type PlantedInBank } from './stage/bank.ts';

const stormMs = 6000;
// A sender that had no luck in the storm has some afterwards.
const sendUntilMs = stormMs + 2000;
const calmMs = 60_000;

/**
 * Money that travels by messages: a sender with an outbox, a second relay, two receivers with an inbox, a log whose
 * answers get lost. In the storm every process is killed again and again and the log goes away; then all is put right,
 * and the books must come out: every debit has one credit.
 */
export function exactlyOnce(planted: PlantedInBank = {}): Scenario {
  return {
    name: 'exactly-once',
    summary: 'outbox and inbox under kills of sender, relay, receiver, and a broker that goes away',
    run: (world) => play(world, planted),
  };
}

async function play(world: World, planted: PlantedInBank): Promise<void> {
  const bank = new Bank(bareRuntime(world.time), planted);
  const hosts = startAll(world, bank);
  killAgainAndAgain(world, hosts);
  loseTheLog(world, bank);
  await world.run(stormMs);
  world.note('the storm is over');
  for (const host of hosts) {
    host.resume();
    host.restart();
  }
  bank.log.down = undefined;
  await world.run(sendUntilMs - world.nowMs);
  const credited = (): number => new Set(bank.credits.state.ids).size;
  await world.runUntil(
    'every debit has its credit',
    calmMs,
    () => bank.debits.size === 0 && credited() >= bank.debits.state.ids.length,
  );
  // What would come twice has time to.
  await world.run(5000);
  checkBooks(world, bank);
}

function startAll(world: World, bank: Bank): readonly Host[] {
  const wanted = (): boolean => world.nowMs < sendUntilMs;
  const sender = world.host('sender');
  const relay = world.host('relay');
  sender.run((runtime) => bank.runSender(runtime, aliveAsNow(sender), wanted));
  relay.run((runtime) => bank.runRelay(runtime, aliveAsNow(relay)));
  const receivers = ['receiver-1', 'receiver-2'].map((name) => world.host(name));
  for (const receiver of receivers) receiver.run((runtime) => bank.runReceiver(runtime));
  return [sender, relay, ...receivers];
}

/** True while the program that runs now has not been replaced. */
function aliveAsNow(host: Host): () => boolean {
  const start = host.starts;
  return () => host.running && host.starts === start;
}

function killAgainAndAgain(world: World, hosts: readonly Host[]): void {
  const { random } = world;
  for (let atMs = 0; atMs < stormMs; atMs += random.float() * 400) {
    const host = hosts[random.uint32() % hosts.length] as Host;
    world.at(atMs, () => {
      if (random.float() < 0.2) host.pause(random.float() * 2500);
      else host.kill();
    });
    world.at(Math.min(stormMs, atMs + 20 + random.float() * 600), () => host.restart());
  }
}

function loseTheLog(world: World, bank: Bank): void {
  const { random } = world;
  for (let atMs = 500; atMs < stormMs - 500; atMs += 300 + random.float() * 2500) {
    world.at(atMs, () => {
      bank.log.down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'the log is down' });
    });
    world.at(atMs + random.float() * 300, () => {
      bank.log.down = undefined;
    });
  }
}

function checkBooks(world: World, bank: Bank): void {
  const debits = bank.debits.state.ids;
  const credits = bank.credits.state.ids;
  const credited = new Set(credits);
  const lost = debits.filter((id) => !credited.has(id));
  if (lost.length > 0)
    world.fail('no debit without its credit', `${lost.length} of ${debits.length} were lost`);
  const known = new Set(debits);
  const invented = credits.filter((id) => !known.has(id));
  if (invented.length > 0) world.fail('no credit without its debit', `${invented.length} came from nowhere`);
  const doubled = credits.length - credited.size;
  if (doubled > 0) world.fail('no credit twice', `${doubled} of ${credits.length} were doubled`);
  if (debits.length === 0) world.fail('transfers', 'there was none: nothing was shown');
}

export const scenario: Scenario = exactlyOnce();
