import { HeddleError } from '@heddle/kernel';
import type { DeadLetter, Message } from '@heddle/messaging';
import type { OpenBroker } from '../node/open-broker.ts';
import type { ConsoleRoute } from './console-api.ts';
import { optional, readInput, text, texts, wholeIn } from './console-input.ts';

const deadName = /^dead\.([^.]+)\.(.+)$/;
const mostAtOnce = 1000;

/** Topics, how far groups are behind, and what they could not handle. */
export function messageRoutes(broker: (() => Promise<OpenBroker>) | undefined): ConsoleRoute[] {
  const there = (): Promise<OpenBroker> => {
    if (broker !== undefined) return broker();
    const message = 'the control plane has no broker: set HEDDLE_BROKER_URL';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_BROKER', message, sent: false });
  };
  const dead = '/dead-letters/:topic/:group';
  return [
    { method: 'GET', path: '/topics', role: 'viewer', run: async () => topics(await there()) },
    {
      method: 'GET',
      path: '/topics/:topic/messages',
      role: 'operator',
      run: async ({ at, query }) => {
        const { engine } = await there();
        const found = await engine.browse(at['topic'] ?? '', wholeIn(query, 'limit', 100, 1, 1000));
        return {
          messages: found.map(({ message, partition, offset }) => ({ ...shown(message), partition, offset })),
        };
      },
    },
    {
      method: 'GET',
      path: '/topics/:topic/lag/:group',
      role: 'viewer',
      run: async ({ at }) => ({
        partitions: await (await there()).bus.lag(at['topic'] ?? '', at['group'] ?? ''),
      }),
    },
    {
      method: 'GET',
      path: dead,
      role: 'viewer',
      run: async ({ at, query }) => {
        const { bus } = await there();
        const letters = await bus
          .deadLetters(at['topic'] ?? '', at['group'] ?? '')
          .list(wholeIn(query, 'limit', 500, 1, 5000));
        return { letters: letters.map(letterOf) };
      },
    },
    {
      method: 'POST',
      path: `${dead}/replay`,
      role: 'operator',
      run: async ({ at, body, note }) => {
        const { bus } = await there();
        const done = await settle(body, (id) =>
          bus.deadLetters(at['topic'] ?? '', at['group'] ?? '').replay(id),
        );
        note({ after: done });
        return done;
      },
    },
    {
      method: 'POST',
      path: `${dead}/drop`,
      role: 'admin',
      run: async ({ at, body, note }) => {
        const { bus } = await there();
        const done = await settle(body, (id) =>
          bus.deadLetters(at['topic'] ?? '', at['group'] ?? '').drop(id),
        );
        note({ after: done });
        return done;
      },
    },
  ];
}

/** One after another, so that what receives them is not flooded; stops at the first that fails and says how far it came. */
async function settle(
  body: unknown,
  one: (id: string) => Promise<void>,
): Promise<{ done: readonly string[] }> {
  const { ids } = readInput(body, { ids: texts(mostAtOnce), why: optional(text(500, 0)) });
  const done: string[] = [];
  for (const id of ids) {
    await one(id).catch((thrown: unknown) => {
      const error = HeddleError.from(thrown);
      throw error.with({
        message: `${done.length} of ${ids.length} were done; then ${id}: ${error.message}`,
      });
    });
    done.push(id);
  }
  return { done };
}

async function topics({ bus, engine }: OpenBroker): Promise<object> {
  const all = await bus.topics();
  const dead = all.flatMap(({ name }) => {
    const [, group = '', topic = ''] = deadName.exec(name) ?? [];
    return group === '' ? [] : [{ name, group, topic }];
  });
  const counted = await Promise.all(
    dead.map(async ({ name, group, topic }) => ({
      group,
      topic,
      count: (await engine.browse(name, 5000)).length,
    })),
  );
  return {
    engine: bus.name,
    topics: all
      .filter(({ name }) => !/^(dead|reply)\./.test(name))
      .map(({ name, partitions, retentionMs }) => ({ name, partitions, retentionMs })),
    deadLetters: counted.filter(({ count }) => count > 0),
  };
}

function letterOf({ message, ...letter }: DeadLetter): object {
  return { ...letter, message: shown(message) };
}

/** A payload of text as text, of JSON as JSON, of anything else as its length. */
function shown({ payload, ...message }: Message): object {
  const bytes = payload.subarray(0, 20_000);
  try {
    const content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ...message, content, bytes: payload.byteLength };
  } catch {
    return { ...message, content: null, bytes: payload.byteLength };
  }
}
