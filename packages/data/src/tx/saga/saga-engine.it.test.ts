import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { mortalRuntime } from '@heddle/kernel/testing';
import type { SqlPool } from '@heddle/sql';
import { expose, MetricRegistry } from '@heddle/telemetry';
import { saga } from './definition.ts';
import { sagaMetrics } from './metrics.ts';
import { SagaEngine, type SagaEngineSettings } from './saga-engine.ts';
import type { AnySaga, SagaDefinition } from './step.ts';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';

let server: Awaited<ReturnType<typeof databases>>;
before(async () => {
  server = await databases();
});
after(() => server.stop());

interface Stage extends Database {
  readonly open: (definitions: readonly AnySaga[], more?: Partial<SagaEngineSettings>) => Promise<SagaEngine>;
  readonly call: () => Call;
}

function withStage(run: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const database = await server.create();
    const engines: SagaEngine[] = [];
    try {
      await run({
        ...database,
        open: async (definitions, more = {}) => {
          const { pool, url } = database;
          const engine = new SagaEngine({
            runtime,
            pool,
            url,
            definitions,
            leaseMs: 1000,
            pollMs: 50,
            ...more,
          });
          await engine.start();
          if (more.runtime === undefined) engines.push(engine);
          return engine;
        },
        call: () => Call.root(runtime, runtime.clock.nowMs() + 60_000),
      });
    } finally {
      for (const engine of engines) await engine.stop();
      await database.close();
    }
  };
}

const quick = { baseMs: 1, maxMs: 2 };
const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down', sent: false });

/** Buys with three steps that note what they do; `fail` names the one that fails. */
function checkout(
  done: string[],
  fail?: string,
  error: HeddleError = down,
): SagaDefinition<{ total: number }, unknown> {
  const step = (name: string) => ({
    run: async ({ key, attempt }: { key: string; attempt: number }): Promise<string> => {
      if (name === fail) throw error;
      done.push(name);
      return `${name} by ${key.split('/').slice(1).join('/')} ${attempt}`;
    },
    undo: async ({ result }: { result: string | undefined }): Promise<void> =>
      void done.push(`undo ${name} (${result})`),
    backoff: quick,
    attempts: 3,
  });
  return saga<{ total: number }>('checkout')
    .step('reserve', step('reserve'))
    .parallel({ pay: step('pay'), pack: step('pack') })
    .step('ship', step('ship'))
    .build();
}

test(
  'a saga runs to its end, and its results are stored',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const definition = checkout(done);
    const engine = await open([definition]);
    const id = await engine.begin(definition, { total: 7 });
    const view = await engine.outcome(id, call());
    assert.equal(view.status, 'completed');
    assert.deepEqual(done.toSorted(), ['pack', 'pay', 'reserve', 'ship']);
    assert.equal(view.state.steps['ship']?.result, 'ship by ship/run 1');
    assert.equal((await engine.store.get(id)).worker, undefined);
  }),
);

test(
  'what fails for good is undone backwards, and only then compensated',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const definition = checkout(done, 'ship');
    const engine = await open([definition]);
    const view = await engine.outcome(await engine.begin(definition, { total: 7 }), call());
    assert.equal(view.status, 'compensated');
    assert.equal(view.state.failure?.reason, 'DOWN');
    assert.equal(view.state.steps['ship']?.attempts, 3);
    assert.equal(done.at(-1), 'undo reserve (reserve by reserve/run 1)');
    assert.deepEqual(done.slice(-3, -1).toSorted(), [
      'undo pack (pack by pack/run 1)',
      'undo pay (pay by pay/run 1)',
    ]);
  }),
);

test(
  'what it does is counted, and what has not ended is shown',
  withStage(async ({ open, call }) => {
    const definition = checkout([], 'ship');
    const waiting = saga<object>('trip').wait('paid').build();
    const registry = new MetricRegistry();
    const counts = Promise.withResolvers<void>();
    const metrics = sagaMetrics(registry);
    const first = await open([waiting]);
    await first.begin(waiting, {});
    const engine = await open([definition, waiting], {
      measures: {
        ...metrics,
        open: (all) => {
          metrics.open(all);
          counts.resolve();
        },
      },
    });
    await engine.outcome(await engine.begin(definition, { total: 7 }), call());
    await counts.promise;
    const text = expose(registry);
    for (const line of [
      'heddle_sagas_rested_total{saga="checkout",status="compensated"} 1',
      'heddle_saga_steps_total{saga="checkout",step="pay",kind="run",outcome="done"} 1',
      'heddle_saga_steps_total{saga="checkout",step="ship",kind="run",outcome="failed"} 3',
      'heddle_saga_steps_total{saga="checkout",step="pay",kind="undo",outcome="done"} 1',
      'heddle_sagas{saga="trip",status="running"} 1',
    ])
      assert.ok(text.includes(line), `${line} in\n${text}`);
  }),
);

test(
  'beginning it again with its id begins nothing',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const definition = checkout(done);
    const engine = await open([definition]);
    const ids = await Promise.all(
      [1, 2, 3].map(() => engine.begin(definition, { total: 7 }, { id: 'order-1' })),
    );
    assert.deepEqual(ids, ['order-1', 'order-1', 'order-1']);
    await engine.outcome('order-1', call());
    assert.equal(done.filter((each) => each === 'reserve').length, 1);
  }),
);

test(
  'a person is waited for; what they say early is kept, and days go by without a process',
  withStage(async ({ open, call }) => {
    const definition = saga<string>('approval')
      .wait<{ yes: boolean }, 'decision'>('decision', { timeoutMs: 3 * 86_400_000 })
      .step('act', { run: async ({ results }) => `was ${results.decision.yes}` })
      .build();
    const first = await open([definition], { runtime: mortalRuntime(runtime) });
    const early = await first.begin(definition, 'a');
    const late = await first.begin(definition, 'b');
    await first.stop();
    const second = await open([definition]);
    assert.deepEqual((await second.store.get(late)).state.steps['decision']?.phase, 'waiting');
    await second.tell(late, 'decision', { yes: true }, 'ada');
    await second.tell(early, 'decision', { yes: false }, 'ada');
    assert.equal((await second.outcome(late, call())).state.steps['act']?.result, 'was true');
    assert.equal((await second.outcome(early, call())).state.steps['act']?.result, 'was false');
  }),
);

test(
  'a wait has its time, by whatever clock the process has',
  withStage(async ({ open, call }) => {
    const definition = saga<string>('approval')
      .wait('decision', { timeoutMs: 3 * 86_400_000 })
      .build();
    const now = await open([definition]);
    const id = await now.begin(definition, 'a');
    await until('it rests', async () => (await now.store.get(id)).worker === undefined);
    await now.stop();
    const { clock } = runtime;
    const later: Runtime = {
      ...runtime,
      clock: { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() + 3 * 86_400_000 + 1 },
    };
    const then = await open([definition], { runtime: later });
    const view = await then.outcome(id, call());
    assert.deepEqual([view.status, view.state.failure?.reason], ['compensated', 'WAIT_TIMEOUT']);
    await then.stop();
  }),
);

test(
  'when a process dies, another goes on with what it had, and the dead one cannot write any more',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const definition = (name: string, hold: boolean): SagaDefinition<string, unknown> =>
      saga<string>('transfer')
        .step('withdraw', {
          run: async ({ attempt }) => {
            done.push(`${name} ${attempt}`);
            if (hold) await held;
            return name;
          },
        })
        .step('deposit', { run: async () => void done.push(`deposit by ${name}`) })
        .build();
    const life = mortalRuntime(runtime);
    const victim = await open([definition('victim', true)], { runtime: life });
    const id = await victim.begin(definition('victim', true), 'x');
    await until('it is at work', async () => done.length === 1);
    life.die();
    const heir = await open([definition('heir', false)]);
    const view = await heir.outcome(id, call());
    assert.deepEqual([view.status, view.state.steps['withdraw']?.result], ['completed', 'heir']);
    release();
    await sleep(runtime.timers, 50);
    assert.deepEqual(done, ['victim 1', 'heir 2', 'deposit by heir']);
    assert.equal((await heir.store.get(id)).state.steps['withdraw']?.result, 'heir');
  }),
);

test(
  'a compensation that does not hold is parked for a person, who can have it tried again or settle it',
  withStage(async ({ open, call }) => {
    let broken = true;
    const definition = saga<string>('refund')
      .step('pay', {
        run: async () => 1,
        undo: async () => {
          if (broken) throw down;
        },
        undoAttempts: 2,
        backoff: quick,
      })
      .step('fail', { run: () => Promise.reject(down), attempts: 1 })
      .build();
    const engine = await open([definition]);
    const [first, second] = [await engine.begin(definition, 'a'), await engine.begin(definition, 'b')];
    for (const id of [first, second]) assert.equal((await engine.outcome(id, call())).status, 'parked');
    assert.equal((await engine.store.list({ status: 'parked' })).length, 2);
    await engine.settle(first, 'pay', 'ada');
    await until('settled', async () => (await engine.store.get(first)).status === 'compensated');
    broken = false;
    await engine.retry(second, 'ada');
    await until('tried again', async () => (await engine.store.get(second)).status === 'compensated');
  }),
);

test(
  'a running saga keeps its definition; one that no process knows waits, and is seen',
  withStage(async ({ open, call }) => {
    const version = (n: number): SagaDefinition<string, unknown> =>
      saga<string>('growing', { version: n })
        .wait('go')
        .step('act', { run: async () => `by ${n}` })
        .build();
    const old = await open([version(1)]);
    const id = await old.begin(version(1), 'x');
    await until('it rests', async () => (await old.store.get(id)).worker === undefined);
    await old.stop();
    const young = await open([version(2)]);
    await young.tell(id, 'go', 1, 'ada');
    const other = await young.begin(version(2), 'y');
    await young.tell(other, 'go', 1, 'ada');
    assert.equal((await young.outcome(other, call())).state.steps['act']?.result, 'by 2');
    assert.equal((await young.store.get(id)).status, 'running');
    const both = await open([version(1), version(2)]);
    assert.equal((await both.outcome(id, call())).state.steps['act']?.result, 'by 1');
  }),
);

test(
  'a person is waited for during three days, across restarts and a new version of the code',
  withStage(async ({ open, call }) => {
    const day = 86_400_000;
    const version = (n: number): SagaDefinition<string, unknown> =>
      saga<string>('approval', { version: n })
        .step('ask', { run: async () => `asked by version ${n}`, undo: async () => {} })
        .wait<string, 'decision'>('decision', { timeoutMs: 4 * day })
        .step('act', { run: async ({ results }) => `version ${n}: ${results.decision}` })
        .build();
    let daysLater = 0;
    const { clock } = runtime;
    const aged = (): Runtime => {
      const offsetMs = daysLater * day;
      return { ...runtime, clock: { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() + offsetMs } };
    };
    const first = await open([version(1)], { runtime: aged() });
    const id = await first.begin(version(1), 'a');
    const parked = await first.begin(version(1), 'nobody answers');
    const waits = async (): Promise<boolean> =>
      (await first.store.get(parked)).worker === undefined &&
      (await first.store.get(id)).worker === undefined;
    await until('both wait', waits);
    await first.stop();
    for (daysLater = 1; daysLater < 3; daysLater += 1) {
      const between = await open([version(1), version(2)], { runtime: aged() });
      assert.equal((await between.store.get(id)).state.steps['decision']?.phase, 'waiting');
      await between.stop();
    }
    const last = await open([version(1), version(2)], { runtime: aged() });
    await last.tell(id, 'decision', 'yes', 'ada');
    const view = await last.outcome(id, call());
    assert.deepEqual([view.version, view.state.steps['act']?.result], [1, 'version 1: yes']);
    const young = await last.begin(version(2), 'b');
    await last.tell(young, 'decision', 'no', 'ada');
    assert.equal((await last.outcome(young, call())).state.steps['act']?.result, 'version 2: no');
    assert.deepEqual(
      (await last.store.audit(id)).map(({ by, input, taken }) => [by, input.kind, taken]),
      [['ada', 'event', true]],
    );
    await last.stop();
    daysLater = 5;
    const after = await open([version(1), version(2)], { runtime: aged() });
    const late = await after.outcome(parked, call());
    assert.deepEqual([late.status, late.state.failure?.reason], ['compensated', 'WAIT_TIMEOUT']);
    await after.stop();
  }),
);

test(
  'a saga is a step of another: its results are the step’s, and undoing the step undoes it',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const payment = saga<{ readonly amount: number }>('payment')
      .step('hold', {
        run: async ({ input }) => {
          if (input.amount > 100)
            throw new HeddleError({ code: 'failed_precondition', reason: 'TOO_MUCH', message: 'too much' });
          return input.amount;
        },
        undo: async ({ failure }) => void done.push(`free: ${failure?.reason}`),
        backoff: quick,
      })
      .build();
    const order = saga<{ readonly amount: number; readonly ship: boolean }>('order')
      .step('open', {
        run: async () => 1,
        undo: async ({ failure }) => void done.push(`close: ${failure?.reason}`),
      })
      .saga('pay', payment, { input: ({ input }) => ({ amount: input.amount }) })
      .step('ship', {
        run: async ({ input, results }) => (input.ship ? `paid ${results.pay.hold}` : Promise.reject(down)),
        attempts: 1,
      })
      .build();
    const engine = await open([order, payment]);
    const outcome = async (input: { amount: number; ship: boolean }) =>
      engine.outcome(await engine.begin(order, input), call());
    const good = await outcome({ amount: 7, ship: true });
    assert.equal(good.state.steps['ship']?.result, 'paid 7');
    assert.equal((await engine.store.get(`${good.id}/pay`)).status, 'completed');
    const refused = await outcome({ amount: 101, ship: true });
    assert.deepEqual([refused.status, refused.state.failure?.reason], ['compensated', 'TOO_MUCH']);
    const undone = await outcome({ amount: 7, ship: false });
    assert.equal(undone.status, 'compensated');
    assert.equal((await engine.store.get(`${undone.id}/pay`)).status, 'compensated');
    assert.deepEqual(done, ['free: TOO_MUCH', 'close: TOO_MUCH', 'free: BY_HAND', 'close: DOWN']);
  }),
);

test(
  'what is said too early, and then again, is heard; what has completed can still be undone by hand',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const definition = saga<string>('patient')
      .wait('first')
      .wait<string, 'second'>('second')
      .step('act', { run: async ({ results }) => results.second, undo: async () => void done.push('undone') })
      .build();
    const engine = await open([definition]);
    const id = await engine.begin(definition, 'x');
    await engine.tell(id, 'second', 'early', 'ada');
    await until('it rests again', async () => (await engine.store.get(id)).worker === undefined);
    await engine.tell(id, 'first', 'now', 'ada');
    assert.equal((await engine.outcome(id, call())).state.steps['act']?.result, 'early');
    await engine.compensate(id, 'ada', 'sent back');
    await until('undone', async () => (await engine.store.get(id)).status === 'compensated');
    assert.deepEqual(done, ['undone']);
  }),
);

test(
  'a condition is asked even if the process that was to ask has died',
  withStage(async ({ open, call, pool }) => {
    const definition = saga<boolean>('conditional')
      .step('maybe', { when: ({ input }) => input, run: async () => 'was done' })
      .build();
    const engine = await open([definition]);
    const ids = await Promise.all(
      [true, false].map((input) => pool.transaction((sql) => engine.beginIn(sql, definition, input))),
    );
    engine.wake();
    const phases = await Promise.all(
      ids.map(async (id) => (await engine.outcome(id, call())).state.steps['maybe']?.phase),
    );
    assert.deepEqual(phases, ['done', 'skipped']);
  }),
);

test(
  'a process that cannot renew its lease does not take over from itself what it is at work on',
  withStage(async ({ pool, url, call }) => {
    let deaf = false;
    let looks = 0;
    const away = new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
    const half: SqlPool = {
      name: pool.name,
      load: pool.load,
      execute: (text, values) =>
        deaf && text.includes('heddle_saga_workers') ? Promise.reject(away) : pool.execute(text, values),
      query: (text, values) => {
        if (text.includes('UPDATE heddle_sagas SET worker')) looks += 1;
        return pool.query(text, values);
      },
      transaction: (work, options) => pool.transaction(work, options),
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    };
    let runs = 0;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const definition = saga<string>('slow')
      .step('act', { run: () => ended.then(() => (runs += 1)), timeoutMs: 60_000 })
      .build();
    const engine = new SagaEngine({
      runtime,
      pool: half,
      url,
      definitions: [definition],
      leaseMs: 100,
      pollMs: 20,
    });
    await engine.start();
    const id = await engine.begin(definition, 'x');
    deaf = true;
    await until('its lease is over', async () => {
      const alive = await pool.query(
        'SELECT 1 FROM heddle_saga_workers WHERE lives_until > clock_timestamp()',
      );
      return alive.length === 0;
    });
    const before = looks;
    await until('it has looked again', async () => looks > before + 3);
    end();
    const view = await engine.outcome(id, call());
    await engine.stop();
    assert.deepEqual([view.status, view.state.steps['act']?.attempts, runs], ['completed', 1, 1]);
  }),
);

test(
  'a hundred at a time',
  withStage(async ({ open, call }) => {
    const done: string[] = [];
    const definition = checkout(done);
    // A busy machine must not look like a dead process: then steps would be repeated, as they may.
    const engine = await open([definition], { leaseMs: 60_000 });
    const ids = await Promise.all(Array.from({ length: 100 }, () => engine.begin(definition, { total: 1 })));
    const views = await Promise.all(ids.map((id) => engine.outcome(id, call())));
    assert.ok(views.every(({ status }) => status === 'completed'));
    assert.equal(done.length, 400);
  }),
);
