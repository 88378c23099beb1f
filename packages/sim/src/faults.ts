import type { Random } from '@heddle/kernel';
import type { World } from './world.ts';

/** What can go wrong by itself. */
export type FaultKind =
  | 'crash'
  | 'kill'
  | 'pause'
  | 'partition'
  | 'partition-one-way'
  | 'slow-link'
  | 'lossy-link'
  | 'clock-jump'
  | 'slow-disk';

/** One thing that goes wrong, and is put right again. */
export interface Fault {
  readonly kind: FaultKind;
  /** The host it befalls; for a link, one end. */
  readonly host: string;
  /** For a link, the other end. */
  readonly peer: string;
  readonly atMs: number;
  readonly untilMs: number;
}

/** What a plan of faults is drawn from. */
export interface FaultPlanOptions {
  /** Those whose program may be ended or paused, and whose clock and disk may fail. */
  readonly hosts: readonly string[];
  /** Those between which links may fail. Default: `hosts`. */
  readonly linked?: readonly string[];
  /** Default: every kind. */
  readonly kinds?: readonly FaultKind[];
  readonly fromMs: number;
  /** All is put right by then. */
  readonly untilMs: number;
  /** Mean time between the beginnings of two faults. */
  readonly everyMs: number;
  /** No fault lasts longer. */
  readonly longestMs: number;
}

const allKinds: readonly FaultKind[] = [
  'crash',
  'kill',
  'pause',
  'partition',
  'partition-one-way',
  'slow-link',
  'lossy-link',
  'clock-jump',
  'slow-disk',
];

/** Draws a plan: faults at random times (a Poisson process), of random kind, place and length. Pure but for `random`. */
export function planFaults(random: Random, options: FaultPlanOptions): Fault[] {
  const { hosts, linked = hosts, kinds = allKinds, untilMs, everyMs, longestMs } = options;
  const faults: Fault[] = [];
  const next = (): number => -Math.log(1 - random.float()) * everyMs;
  for (let atMs = options.fromMs + next(); atMs < untilMs; atMs += next()) {
    const kind = pick(random, kinds);
    const onLink = kind.includes('partition') || kind.includes('link');
    const places = onLink ? linked : hosts;
    const host = pick(random, places);
    const others = linked.filter((name) => name !== host);
    const peer = others.length === 0 ? host : pick(random, others);
    const length = (0.05 + 0.95 * random.float() ** 2) * longestMs;
    faults.push({ kind, host, peer, atMs, untilMs: Math.min(untilMs, atMs + length) });
  }
  return faults;
}

/** Makes a plan happen. Times count from the beginning of the world. */
export function inject(world: World, faults: readonly Fault[]): void {
  for (const fault of faults) world.at(fault.atMs, () => begin(world, fault));
}

function begin(world: World, fault: Fault): void {
  const undo = start(world, fault);
  world.at(fault.untilMs, undo);
}

/** Begins a fault, and gives what puts it right. */
function start(world: World, { kind, host: name, peer, atMs, untilMs }: Fault): () => void {
  const host = world.host(name);
  switch (kind) {
    case 'crash':
      host.crash();
      return () => host.restart();
    case 'kill':
      host.kill();
      return () => host.restart();
    case 'pause':
      host.pause();
      return () => host.resume();
    case 'partition':
      return world.network.partition(name, peer);
    case 'partition-one-way':
      return world.network.partitionOneWay(name, peer);
    case 'slow-link':
      world.network.link(name, peer, { latencyMs: 50, jitterMs: 100 });
      return () => world.network.link(name, peer, { latencyMs: 0.5, jitterMs: 0.5 });
    case 'lossy-link':
      world.network.link(name, peer, { loss: 0.2 });
      return () => world.network.link(name, peer, { loss: 0 });
    case 'clock-jump': {
      // Far, and either way, by the fault's own times: it needs no further chance.
      const byMs = Math.round((untilMs - atMs) * 1000) * (Math.round(atMs) % 2 === 0 ? 1 : -1);
      host.clockJump(byMs);
      return () => host.clockJump(-byMs);
    }
    case 'slow-disk':
      host.disk.operationMs = 20;
      return () => {
        host.disk.operationMs = 0.05;
      };
  }
}

function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[random.uint32() % from.length];
  if (chosen === undefined) throw new RangeError('expected at least one to choose from, found none');
  return chosen;
}
