import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { Strategies } from 'moleculer';
import { type BenchCandidate, idOf, keys } from './fleet.ts';

/** A peer's way to pick: `pick(n)` is the n-th. */
export interface PeerPick {
  readonly peer: string;
  readonly detail?: string;
  readonly pick: (n: number) => unknown;
}

const pointsEach = 150;
const require = createRequire(import.meta.url);

/** What is used of two peers that come without types. */
interface KeyedRing {
  get(key: string): string;
  add(node: string): unknown;
}
const HashRing = require('hashring') as new (...args: readonly unknown[]) => KeyedRing;
const ConsistentHash = require('consistent-hash') as new (options: unknown) => KeyedRing;

interface MoleculerStrategy {
  select(list: readonly unknown[], context?: unknown): unknown;
}
type MoleculerStrategyClass = new (registry: unknown, broker: unknown, options: unknown) => MoleculerStrategy;

/** A strategy of Moleculer, asked as its registry asks it: with the list and a context. */
function moleculer(
  name: keyof typeof Strategies,
  all: readonly BenchCandidate[],
  options: unknown = {},
): PeerPick {
  const broker = { localBus: { on: () => undefined, listenerCount: () => 1 } };
  const strategy = new (Strategies[name] as unknown as MoleculerStrategyClass)({}, broker, options);
  const contexts = keys.map((key) => ({ params: {}, meta: { key } }));
  return { peer: 'moleculer', detail: name, pick: (n) => strategy.select(all, contexts[n & 1023]) };
}

interface GrpcPicker {
  pick(args: unknown): unknown;
}

/** The pickers that grpc-js keeps to itself: its own code, with the class let out of its module. */
function grpcPicker(module: string, name: string, children: readonly unknown[]): GrpcPicker {
  const file = require.resolve(`@grpc/grpc-js/build/src/${module}.js`);
  const exported: Record<string, new (...args: unknown[]) => GrpcPicker> = {};
  const load = compileFunction(
    `${readFileSync(file, 'utf8')}
exports.${name} = ${name};`,
    ['require', 'exports'],
  );
  load(createRequire(file), exported);
  const Picker = exported[name];
  if (Picker === undefined) throw new Error(`${module} of grpc-js has no ${name} any more`);
  return new Picker(children);
}

function grpcChildren(all: readonly BenchCandidate[]): unknown[] {
  return all.map(({ id, weight }) => {
    const subchannel = { getWrappedSubchannel: () => id };
    // 0: COMPLETE.
    const complete = { pickResultType: 0, subchannel, status: null, onCallStarted: null, onCallEnded: null };
    return { endpointName: id, weight, endpoint: id, picker: { pick: () => complete } };
  });
}

/** What stands beside each of our policies. */
export function peersOf(policy: string, all: readonly BenchCandidate[]): PeerPick[] {
  const { length } = all;
  const dice: PeerPick = {
    peer: 'math-random',
    detail: 'an index by Math.random, no policy',
    pick: () => all[Math.floor(Math.random() * length)],
  };
  switch (policy) {
    case 'round-robin': {
      const picker = grpcPicker('load-balancer-round-robin', 'RoundRobinPicker', grpcChildren(all));
      return [{ peer: 'grpc-js', pick: () => picker.pick({}) }, moleculer('RoundRobin', all)];
    }
    case 'weighted-round-robin': {
      const picker = grpcPicker(
        'load-balancer-weighted-round-robin',
        'WeightedRoundRobinPicker',
        grpcChildren(all),
      );
      return [{ peer: 'grpc-js', pick: () => picker.pick({}) }];
    }
    case 'random':
      return [moleculer('Random', all)];
    case 'least-request':
      return [moleculer('CpuUsage', all)];
    case 'p2c-latency':
      return [moleculer('CpuUsage', all, { sampleCount: 2 })];
    case 'ring-hash':
    case 'maglev':
      return hashPeers(all);
    default:
      return [dice];
  }
}

function hashPeers(all: readonly BenchCandidate[]): PeerPick[] {
  const hashring = hashRing(all.length);
  const consistent = consistentHash(all.length);
  return [
    { peer: 'hashring', detail: 'its cache off', pick: (n) => hashring.get(keys[n & 1023] as string) },
    { peer: 'consistent-hash', pick: (n) => consistent.get(keys[n & 1023] as string) },
    moleculer('Shard', all, { shardKey: '#key', vnodes: pointsEach, cacheSize: 1 }),
  ];
}

/** The ring of `hashring`, with as many points for each as ours. */
export function hashRing(count: number): KeyedRing {
  const servers = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [idOf(index), { vnodes: pointsEach }]),
  );
  return new HashRing(servers, 'md5', { 'max cache size': 1 });
}

/** The ring of `consistent-hash`; it has room for more points than its default. */
export function consistentHash(count: number): KeyedRing {
  const ring = new ConsistentHash({ range: 100_000_003, weight: pointsEach });
  for (let index = 0; index < count; index++) ring.add(idOf(index));
  // It sorts at the first question.
  ring.get(keys[0] as string);
  return ring;
}
