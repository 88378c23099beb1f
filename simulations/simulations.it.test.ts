import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registry, Snapshot } from '@heddle/discovery';
import { type AppendFile, idempotency, type Runtime, settle } from '@heddle/kernel';
import { findDifference, runSeed, type Scenario, type SimulationFailure } from '@heddle/sim';
import type { HttpService } from '@heddle/wire';
import { durableRegistry } from './durable-registry.ts';
import { exactlyOnce } from './exactly-once.ts';
import { registryAndServices } from './registry-and-services.ts';
import type { PlantedInBank } from './stage/bank.ts';
import { sagaTransfers } from './saga-transfers.ts';
import type { Planted } from './stage/fleet.ts';
import { type PlantedStreams, streamsOverHttp2 } from './streams-over-http2.ts';
import { tccTransfers } from './tcc-transfers.ts';
import { twoPhase } from './two-phase.ts';

const enoughSeeds = 200;

/** Runs seeds until one fails. */
async function find(scenario: Scenario): Promise<SimulationFailure> {
  for (let seed = 1; seed <= enoughSeeds; seed++) {
    const { failure } = await runSeed(scenario, seed);
    if (failure !== undefined) return failure;
  }
  return assert.fail(`no failure within ${enoughSeeds} seeds`);
}

/** Runs the fleet with a bug, and checks that it is found, by the promise that it breaks. */
function finds(bug: string, planted: Planted, promise: RegExp): void {
  test(`found within ${enoughSeeds} seeds: ${bug}`, { timeout: 120_000 }, async () => {
    const { facts } = await find(registryAndServices(planted));
    assert.match(`${facts.what}: ${facts.why}`, promise);
  });
}

test('without a bug nothing is found, and each run is the same', { timeout: 120_000 }, async () => {
  for (const scenario of [registryAndServices(), durableRegistry(), exactlyOnce(), streamsOverHttp2()]) {
    for (const seed of [1, 2, 3]) {
      const { failure } = await runSeed(scenario, seed);
      assert.equal(failure, undefined);
    }
    assert.equal(await findDifference(scenario, 4), undefined);
  }
});

test('transactions whose processes are killed at their durable writes keep the money', {
  timeout: 120_000,
}, async () => {
  for (const scenario of [sagaTransfers(), tccTransfers(), twoPhase()]) {
    for (let seed = 1; seed <= 20; seed++) {
      const { failure } = await runSeed(scenario, seed);
      assert.equal(failure, undefined);
    }
    assert.equal(await findDifference(scenario, 4), undefined);
  }
  // A process that took its own saga over again was told that a change of before was stored.
  const { failure } = await runSeed(tccTransfers({ cuts: false }), 670);
  assert.equal(failure, undefined);
});

for (const [bug, scenario] of Object.entries({
  'a compensation that is skipped': sagaTransfers({ compensationSkipped: true }),
  'participants of sagas without a barrier': sagaTransfers({ barrierOff: true }),
  'participants of reservations without a barrier': tccTransfers({ barrierOff: true }),
  'a decision that is not logged': twoPhase({ decisionNotLogged: true }),
}))
  test(`found within ${enoughSeeds} seeds: ${bug}`, { timeout: 120_000 }, async () => {
    const { facts } = await find(scenario);
    assert.match(facts.what, /money|reserved/);
  });

finds(
  'a client whose watch is not taken up again when the registry has restarted',
  { clientRegistry: (registry) => watchingBy(registry, ofFirstTerm) },
  /leaves: not within|found again/,
);

finds(
  'a client that repeats calls with an effect',
  { client: repeating },
  /a change is carried out at most once: .* was carried out 2 times/,
);

finds(
  'a client that does not retry at all',
  { client: undeclared },
  /a read finds an instance that is healthy all along|no read fails while a healthy instance/,
);

finds(
  'a registry that never looks at its leases',
  { registryRuntime: (runtime) => deafTo(runtime, 500) },
  /leaves: not within 6000 ms/,
);

finds('a client that leaves its watches open', { clientRegistry: watchingTwice }, /nothing is left|stops/);

test(`found within ${enoughSeeds} seeds: a registry whose disk does not sync`, {
  timeout: 120_000,
}, async () => {
  const { facts } = await find(durableRegistry(withoutSync));
  assert.match(facts.why, /expected (nothing|\d+), found (nothing|\d+)/);
});

/** Runs the streams with a bug, and checks that it is found, by the promise that it breaks. */
function findsInStreams(bug: string, planted: PlantedStreams, promise: RegExp): void {
  test(`found within ${enoughSeeds} seeds: ${bug}`, { timeout: 120_000 }, async () => {
    const { facts } = await find(streamsOverHttp2(planted));
    assert.match(`${facts.what}: ${facts.why}`, promise);
  });
}

findsInStreams(
  'a client that never asks a silent server',
  { keepaliveMs: 0 },
  /waited for a machine that was gone/,
);
findsInStreams(
  'a server that does not wait for its streams',
  { hasty: true },
  /lost by a server that drained/,
);
findsInStreams(
  'content that is spoilt on the way',
  { spoil: (content) => (content.byteLength > 19_000 ? content.slice(1) : content) },
  /got something else than it had sent/,
);

test('chance that is not the runtime’s is found by comparing two runs', { timeout: 60_000 }, async () => {
  const careless: HttpService = (request, call) => {
    // What the house rule forbids, and here shows why.
    request.fields.set('x-chance', String(Math.random()));
    return Promise.reject(new Error(`never sent ${request.path} ${call.remainingMs()}`));
  };
  const scenario = registryAndServices({
    client: (next) => (request, call) => {
      void careless(request, call).catch(() => {});
      return next(request, call);
    },
  });
  assert.ok((await findDifference(scenario, 1)) !== undefined);
});

function delegate(registry: Registry): Registry {
  return {
    name: registry.name,
    get problem() {
      return registry.problem;
    },
    register: (init) => registry.register(init),
    deregister: (service, id) => registry.deregister(service, id),
    heartbeat: (service, id, health) => registry.heartbeat(service, id, health),
    instances: (service) => registry.instances(service),
    watch: (service, signal) => registry.watch(service, signal),
    services: () => registry.services(),
    close: () => registry.close(),
  };
}

type Filter = (snapshot: Snapshot, last: Snapshot | undefined) => boolean;

/** A registry whose watches lose the snapshots that the filter does not let pass. */
function watchingBy(registry: Registry, passes: Filter): Registry {
  const watch: Registry['watch'] = async function* (service, signal) {
    let last: Snapshot | undefined;
    for await (const snapshot of registry.watch(service, signal)) {
      if (!passes(snapshot, last)) continue;
      last = snapshot;
      yield snapshot;
    }
  };
  return { ...delegate(registry), watch };
}

/** Begins each watch twice, and ends one of the two. */
function watchingTwice(registry: Registry): Registry {
  const watch: Registry['watch'] = (service, signal) => {
    void registry.watch(service).next();
    return registry.watch(service, signal);
  };
  return { ...delegate(registry), watch, close: async () => {} };
}

const ofFirstTerm: Filter = (snapshot, last) => last === undefined || snapshot.term === last.term;

/** Sends a failed request once more, whatever it is. */
function repeating(next: HttpService): HttpService {
  return async (request, call) => {
    const first = call.child();
    const result = await settle(next, request, first);
    if (!result.ok) return next(request, call);
    call.endWith(first);
    return result.value;
  };
}

/** Sends a read as if nothing were known of it, so that it is not repeated. */
function undeclared(next: HttpService): HttpService {
  return (request, call) => {
    call.set(idempotency, 'unknown');
    return next(request.method === 'GET' ? { ...request, method: 'POST' } : request, call);
  };
}

/** Loses the timers of one length. */
function deafTo(runtime: Runtime, lostMs: number): Runtime {
  const { timers } = runtime;
  const after: typeof timers.after = (delayMs, task) =>
    timers.after(delayMs, delayMs === lostMs ? () => {} : task);
  return { ...runtime, timers: { after, soon: (task) => timers.soon(task) } };
}

/** A disk that says that it has synced, and has not. */
function withoutSync(runtime: Runtime): Runtime {
  const { disk } = runtime;
  const careless = (file: AppendFile): AppendFile => ({
    get size() {
      return file.size;
    },
    append: (bytes) => file.append(bytes),
    sync: async () => {},
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  });
  const open: typeof disk.open = async (path) => careless(await disk.open(path));
  return {
    ...runtime,
    disk: {
      read: (path) => disk.read(path),
      replace: (path, bytes) => disk.replace(path, bytes),
      open,
      list: (folder) => disk.list(folder),
      remove: (path) => disk.remove(path),
    },
  };
}

/** As `finds`, for the bank. */
function findsInBank(bug: string, planted: PlantedInBank, promise: RegExp): void {
  test(`found within ${enoughSeeds} seeds: ${bug}`, { timeout: 120_000 }, async () => {
    const { facts } = await find(exactlyOnce(planted));
    assert.match(`${facts.what}: ${facts.why}`, promise);
  });
}

findsInBank(
  'a receiver whose inbox forgets',
  {
    inbox: (store) => ({
      transaction: (work) => store.transaction(work),
      record: async (_tx, _group, ids) => new Set(ids),
    }),
  },
  /no credit twice/,
);

findsInBank(
  'a receiver that acknowledges before it has done anything',
  { receive: 'at-most-once' },
  /every debit has its credit/,
);

findsInBank(
  'an outbox that takes messages off before they were sent',
  {
    outbox: (store) => ({
      ...store,
      relay: async (most, send) => {
        const given = await new Promise<Parameters<typeof send>[0]>((resolve) => {
          void store
            .relay(most, async (entries) => {
              resolve(entries);
              return entries.map(({ number }) => number);
            })
            .then((count) => count === 0 && resolve([]));
        });
        if (given.length > 0) await send(given);
        return given.length;
      },
    }),
  },
  /every debit has its credit/,
);
