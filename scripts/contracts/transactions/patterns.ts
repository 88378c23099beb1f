// What the processes of the fault matrix do: money goes from one account to another, once in a way that works and once
// in a way that cannot.
import { createPool } from 'mysql2/promise';
import type { Runtime } from '@heddle/kernel';
import { HeddleError } from '@heddle/kernel';
import { passBarrier, prepareBarrier } from '@heddle/data/barrier';
import { Notifications, type NotifyRequest, verifySignature } from '@heddle/data/notify';
import { answerMessage, type MessageAnswer, ReliableMessages } from '@heddle/data/reliable-message';
import { type AnySaga, saga, SagaEngine } from '@heddle/data/saga';
import { tcc, tccService, type TccService } from '@heddle/data/tcc';
import {
  type KnownDecision,
  type MariadbConnection,
  MariadbParticipant,
  PostgresParticipant,
  RpcParticipant,
  SqlDecisionLog,
  TxCoordinator,
  TxEndpoint,
  type TxService,
} from '@heddle/data/twophase';
import { broker, Outbox, SqlInbox, SqlOutbox, inbox } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import type { Sql, SqlPool } from '@heddle/sql';
import { mariadbUser } from '../../engines/mariadb.ts';
import { client, type Paths } from './http-service.ts';
import { countedMariadb, type DurableWrites } from './kill-points.ts';
import type { Orders } from './orders.ts';

/** What a process has. */
export interface Part {
  readonly runtime: Runtime;
  readonly orders: Orders;
  readonly writes: DurableWrites;
  readonly center: SqlPool;
  readonly from: SqlPool;
  readonly to: SqlPool;
}

/** What a process serves, and how it begins. */
export interface Playing {
  readonly paths: Paths;
  readonly begin?: () => Promise<void>;
}

type Play = (part: Part) => Promise<Playing>;

/** The two processes of a pattern. */
export interface Pattern {
  readonly coordinator: Play;
  readonly participant: Play;
}

interface Move {
  readonly tx: string;
  readonly op: 'run' | 'undo';
  readonly amount: number;
}

interface Transfer {
  readonly amount: number;
}

/** One that works, and one for which there is not enough money. */
const transfers = [
  { id: 'good', amount: 30 },
  { id: 'bad', amount: 5000 },
] as const;

const quick = { baseMs: 20, maxMs: 100 };
const stepTimeoutMs = 1000;

const change = (sql: Sql, amount: number): Promise<number> =>
  sql.execute('UPDATE account SET amount = amount + $1', [amount]);

/** Moves money in one account, once, whatever is told how often in whatever order. */
const moves =
  (pool: SqlPool, branch: string, sign: 1 | -1) =>
  async ({ tx, op, amount }: Move): Promise<unknown> => {
    const passed = await pool.transaction((sql) =>
      passBarrier(sql, { tx, branch, op }, () => change(sql, sign * (op === 'run' ? amount : -amount))),
    );
    if (passed.done || passed.why !== 'late') return {};
    throw new HeddleError({ code: 'failed_precondition', reason: 'OVER', message: `${tx} is over` });
  };

function engineOf(part: Part, definitions: readonly AnySaga[]): SagaEngine {
  const { runtime, center, orders } = part;
  return new SagaEngine({
    runtime,
    pool: center,
    url: orders.urls.center,
    definitions,
    leaseMs: 600,
    pollMs: 50,
  });
}

const accounts: Play = async ({ from, to }) => {
  await prepareBarrier(from);
  await prepareBarrier(to);
  return { paths: { '/from': moves(from, 'from', -1), '/to': moves(to, 'to', 1) } };
};

const sagaPattern: Pattern = {
  participant: accounts,
  coordinator: async (part) => {
    const { participant } = part.orders.ports;
    const step = (path: string) => {
      const say = client<Move, unknown>(participant, path);
      return {
        run: ({ id, input, call }: { id: string; input: Transfer; call: Parameters<typeof say>[1] }) =>
          say({ tx: id, op: 'run', amount: input.amount }, call),
        undo: async ({ id, input, call }: { id: string; input: Transfer; call: Parameters<typeof say>[1] }) =>
          void (await say({ tx: id, op: 'undo', amount: input.amount }, call)),
        backoff: quick,
        timeoutMs: stepTimeoutMs,
        undoAttempts: 500,
        attempts: 20,
      };
    };
    // First to whom it goes: so that what cannot work has something to undo.
    const definition = saga<Transfer>('transfer')
      .step('give', step('/to'))
      .step('take', step('/from'))
      .build();
    const engine = engineOf(part, [definition]);
    await engine.start();
    return {
      paths: {},
      begin: async () => {
        for (const { id, amount } of transfers) await engine.begin(definition, { amount }, { id });
      },
    };
  },
};

const tccPattern: Pattern = {
  participant: async ({ from, to }) => {
    await prepareBarrier(from);
    await prepareBarrier(to);
    const step =
      (free: number, held: number) =>
      (sql: Sql, { amount }: Transfer) =>
        sql.execute('UPDATE account SET amount = amount + $1, held = held + $2', [
          free * amount,
          held * amount,
        ]);
    return {
      paths: {
        '/from': tccService({ pool: from, reserve: step(-1, 1), confirm: step(0, -1), cancel: step(1, -1) }),
        '/to': tccService({ pool: to, reserve: step(0, 1), confirm: step(1, -1), cancel: step(0, -1) }),
      },
    };
  },
  coordinator: async (part) => {
    const { participant } = part.orders.ports;
    const branch = (path: string): { service: TccService; backoff: typeof quick; timeoutMs: number } => ({
      service: client(participant, path),
      backoff: quick,
      timeoutMs: stepTimeoutMs,
    });
    const definition = tcc<Transfer>('transfer', { reserveMs: 20_000 })
      .branch('to', { ...branch('/to'), attempts: 20 })
      .branch('from', { ...branch('/from'), attempts: 20 })
      .build();
    const engine = engineOf(part, [definition]);
    await engine.start();
    return {
      paths: {},
      begin: async () => {
        for (const { id, amount } of transfers) await engine.begin(definition, { amount }, { id });
      },
    };
  },
};

const twophase: Pattern = {
  participant: async ({ runtime, to, orders }) => {
    const endpoint = new TxEndpoint<Transfer>({
      runtime,
      name: 'to',
      pool: to,
      prepare: (sql, { amount }) => change(sql, amount),
      ask: client<string, KnownDecision>(orders.ports.coordinator, '/decision'),
      askAfterMs: 300,
    });
    await endpoint.start();
    return { paths: { '/tx': endpoint.service } };
  },
  coordinator: async (part) => {
    const { runtime, orders, writes } = part;
    const service: TxService = client(orders.ports.participant, '/tx');
    const from = new PostgresParticipant({ name: 'from', pool: part.from });
    const to = new RpcParticipant<Transfer>({ runtime, name: 'to', service, timeoutMs: stepTimeoutMs });
    const maria = mariadbOf(orders.mariadbPort, writes);
    const coordinator = new TxCoordinator({
      runtime,
      log: new SqlDecisionLog(part.center),
      participants: [from, to, ...(maria === undefined ? [] : [maria])],
      leaseMs: 600,
      sweepMs: 100,
      patienceMs: 300,
    });
    await coordinator.start();
    const once = (amount: number): Promise<unknown> =>
      coordinator.run(async (tx) => {
        await tx.join(to.branch({ amount: maria === undefined ? amount : amount - 10 }));
        if (maria !== undefined)
          await tx.join(
            maria.branch((connection) => connection.query('UPDATE account SET amount = amount + 10')),
          );
        await tx.join(from.branch((sql) => change(sql, -amount)));
      });
    return {
      paths: { '/decision': (tx: never) => coordinator.decisionOf(tx) },
      begin: async () => {
        for (const { amount } of transfers) await once(amount).catch(() => {});
      },
    };
  },
};

function mariadbOf(
  port: number | undefined,
  writes: DurableWrites,
): MariadbParticipant<MariadbConnection> | undefined {
  if (port === undefined) return undefined;
  const pool = createPool({
    host: '127.0.0.1',
    port,
    user: mariadbUser,
    password: mariadbUser,
    database: 'matrix',
  });
  return new MariadbParticipant({ name: 'third', pool: countedMariadb(pool, writes) });
}

const outbox: Pattern = {
  participant: async (part) => {
    const { runtime, to, orders, center } = part;
    const bus = broker(
      await postgresEngine({ runtime, pool: center, url: orders.urls.center, leaseMs: 600, pollMs: 50 }),
      {
        runtime,
        source: 'to',
      },
    );
    await bus.createTopic('moved', { partitions: 1 });
    const records = new SqlInbox({ runtime, pool: to });
    await records.start();
    await bus.subscribeBatch(
      'moved',
      { group: 'to' },
      inbox(records, 'to', async ({ message }, sql) => {
        await change(sql, Number(new TextDecoder().decode(message.payload)));
      }),
    );
    return { paths: {} };
  },
  coordinator: async (part) => {
    const { runtime, from, orders, center } = part;
    const bus = broker(
      await postgresEngine({ runtime, pool: center, url: orders.urls.center, leaseMs: 600, pollMs: 50 }),
      {
        runtime,
        source: 'from',
      },
    );
    await bus.createTopic('moved', { partitions: 1 });
    const store = new SqlOutbox({ pool: from });
    await store.prepare();
    const box = new Outbox({ runtime, source: 'from', store, broker: bus, pollMs: 50 });
    box.start();
    const once = (amount: number): Promise<unknown> =>
      box.transaction(async (sql) => {
        await box.publish(sql, [{ topic: 'moved', payload: new TextEncoder().encode(String(amount)) }]);
        await change(sql, -amount);
      });
    return {
      paths: {},
      begin: async () => {
        for (const { amount } of transfers) await once(amount).catch(() => {});
      },
    };
  },
};

const reliable: Pattern = {
  participant: accounts,
  coordinator: async (part) => {
    const { runtime, from, orders } = part;
    await prepareBarrier(from);
    const deliver = client<Move, unknown>(orders.ports.participant, '/to');
    const messages = new ReliableMessages<{ readonly amount: number }>({
      runtime,
      name: 'moved',
      ask: (id): Promise<MessageAnswer> => answerMessage(from, id),
      deliver: async ({ amount }, { key, call }) =>
        void (await deliver({ tx: key.split('/')[0] ?? key, op: 'run', amount }, call)),
      askAfterMs: 300,
    });
    const engine = engineOf(part, [messages.definition]);
    await engine.start();
    return {
      paths: {},
      begin: async () => {
        for (const { id, amount } of transfers)
          await messages.send(engine, from, { amount }, (sql) => change(sql, -amount), id).catch(() => {});
      },
    };
  },
};

const notifySecret = new TextEncoder().encode('of the matrix');

const notify: Pattern = {
  participant: async ({ runtime, to }) => {
    await prepareBarrier(to);
    const receive = async ({ body, headers }: NotifyRequest): Promise<number> => {
      verifySignature(notifySecret, headers, body, runtime.clock.wallMs());
      const { amount } = JSON.parse(body) as Transfer;
      if (amount > 1000) return 422;
      await to.transaction((sql) =>
        passBarrier(sql, { tx: headers['webhook-id'], branch: 'to', op: 'run' }, () => change(sql, amount)),
      );
      return 204;
    };
    return { paths: { '/hook': receive } };
  },
  coordinator: async (part) => {
    const { runtime, center, orders } = part;
    const notifications = new Notifications({
      runtime,
      pool: center,
      deliver: client(orders.ports.participant, '/hook'),
      secretFor: () => notifySecret,
      scheduleMs: [0, 200, 400, 800, 1600, 3200],
      timeoutMs: stepTimeoutMs,
    });
    await notifications.prepare();
    const engine = engineOf(part, [notifications.definition]);
    await engine.start();
    return {
      paths: {},
      begin: async () => {
        for (const { id, amount } of transfers)
          await notifications.send(
            engine,
            { url: 'http://127.0.0.1/hook', body: JSON.stringify({ amount }) },
            id,
          );
      },
    };
  },
};

/** By the names of the contract's backends. */
export const patterns: Readonly<Record<string, Pattern>> = {
  saga: sagaPattern,
  twophase,
  tcc: tccPattern,
  outbox,
  'reliable-message': reliable,
  notify,
};
