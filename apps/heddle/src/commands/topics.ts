import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { type OpenBroker, openBroker } from '../node/open-broker.ts';
import { wholeOf } from '../node/seconds.ts';
import { table } from '../terminal/table.ts';
import { topicsUsage } from './topics.usage.ts';

/** `heddle topics`: what topics a broker has, and how far their groups are. */
export const topics: Command = {
  ...topicsUsage,
  run: async (given, world) => {
    const [verb, topic, group, ...rest] = given.words;
    const action = verb === undefined ? undefined : actions[verb];
    const wanted = { list: 0, create: 1, delete: 1, lag: 2 }[verb ?? ''];
    const found = [topic, group].filter((word) => word !== undefined).length;
    if (action === undefined || wanted === undefined || rest.length > 0)
      throw usageError('"heddle topics" needs one of list, create, delete and lag');
    if (found !== wanted)
      throw usageError(
        verb === 'lag'
          ? '"heddle topics lag" needs a topic and a group'
          : `"heddle topics ${verb}" ${wanted === 0 ? 'takes no topic' : 'needs a topic, and nothing more'}`,
      );
    const open = await openBroker(given, nodeRuntime({ name: 'topics', logLevel: 'error' }));
    try {
      return await action({ open, topic: topic ?? '', group: group ?? '', given, world });
    } finally {
      await open.close();
    }
  },
};

interface Asked {
  readonly open: OpenBroker;
  readonly topic: string;
  readonly group: string;
  readonly given: Given;
  readonly world: World;
}

const actions: Readonly<Record<string, (asked: Asked) => Promise<number>>> = {
  list: async ({ open, given, world }) => {
    const all = await open.bus.topics();
    const shown = given.flag('all') ? all : all.filter(({ name }) => !/^(dead|reply)\./.test(name));
    const rows = shown.map(({ name, partitions, retentionMs }) => ({
      topic: name,
      partitions,
      'retention-hours': Math.round(retentionMs / 3_600_000),
    }));
    print(asTable(rows, 'there are no topics\n'), shown, given, world);
    return exitCodes.done;
  },
  create: async ({ open, topic, given, world }) => {
    const made = await open.bus.createTopic(topic, {
      partitions: wholeOf(given, 'partitions', 8),
      retentionMs: wholeOf(given, 'retention-hours', 168) * 3_600_000,
    });
    print(`topic ${topic} has ${made.partitions} partitions\n`, made, given, world);
    return exitCodes.done;
  },
  delete: async ({ open, topic, given, world }) => {
    const deleted = await open.engine.deleteTopic(topic);
    print(
      deleted ? `topic ${topic} is gone\n` : `there was no topic ${topic}\n`,
      { topic, deleted },
      given,
      world,
    );
    return deleted ? exitCodes.done : exitCodes.failed;
  },
  lag: async ({ open, topic, group, given, world }) => {
    const lag = await open.bus.lag(topic, group);
    const rows = lag.map(({ partition, behind, owner = '' }) => ({ partition, behind, owner }));
    const sum = lag.reduce((all, { behind }) => all + behind, 0);
    print(`${table(rows)}${group} has ${sum} messages of ${topic} to do\n`, lag, given, world);
    return exitCodes.done;
  },
};

function asTable(rows: Parameters<typeof table>[0], none: string): string {
  return rows.length === 0 ? none : table(rows);
}

function print(text: string, value: unknown, given: Given, { terminal }: World): void {
  terminal.out(given.flag('json') ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}
