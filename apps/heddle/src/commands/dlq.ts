import { nodeRuntime } from '@heddle/kernel/node';
import type { DeadLetter, DeadLetters } from '@heddle/messaging';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { type OpenBroker, openBroker } from '../node/open-broker.ts';
import { wholeOf } from '../node/seconds.ts';
import { counter } from '../terminal/counter.ts';
import { table } from '../terminal/table.ts';
import { shown } from './emit.ts';
import { dlqUsage } from './dlq.usage.ts';

/** `heddle dlq`: what groups could not handle, and what becomes of it. */
export const dlq: Command = {
  ...dlqUsage,
  run: async (given, world) => {
    const [verb, topic, group, id, ...rest] = given.words;
    const isKnown = verb !== undefined && ['list', 'show', 'replay', 'drop'].includes(verb);
    if (!isKnown || rest.length > 0)
      throw usageError('"heddle dlq" needs one of list, show, replay and drop');
    if (topic !== undefined && group === undefined) throw usageError('expected a group after the topic');
    checkId(verb, topic, id, given.flag('all'));
    const open = await openBroker(given, nodeRuntime({ name: 'dlq', logLevel: 'error' }));
    try {
      if (topic === undefined || group === undefined) return await overview(open, given, world);
      const dead = open.bus.deadLetters(topic, group);
      if (verb === 'list') return await list(dead, given, world);
      if (verb === 'show') return await show(dead, id ?? '', given, world);
      return await settle(dead, verb as 'replay' | 'drop', id, given, world);
    } finally {
      await open.close();
    }
  },
};

function checkId(verb: string, topic: string | undefined, id: string | undefined, all: boolean): void {
  if (verb === 'list' && (id !== undefined || all))
    throw usageError('"heddle dlq list" takes no id and no --all');
  if (verb === 'list') return;
  if (topic === undefined) throw usageError(`"heddle dlq ${verb}" needs a topic and a group`);
  if (verb === 'show' && (id === undefined || all))
    throw usageError('"heddle dlq show" needs the id of a message');
  if (verb !== 'show' && (id === undefined) === !all)
    throw usageError(`"heddle dlq ${verb}" needs the id of a message, or --all`);
}

const name = /^dead\.([^.]+)\.(.+)$/;

async function overview({ bus, engine }: OpenBroker, given: Given, world: World): Promise<number> {
  const rows: { topic: string; group: string; 'dead letters': number }[] = [];
  for (const { name: dead } of await bus.topics()) {
    const [, group = '', topic = ''] = name.exec(dead) ?? [];
    if (group === '') continue;
    const count = (await engine.browse(dead, Number.MAX_SAFE_INTEGER)).length;
    if (count > 0) rows.push({ topic, group, 'dead letters': count });
  }
  print(rows.length === 0 ? 'there are no dead letters\n' : table(rows), rows, given, world);
  return exitCodes.done;
}

async function list(dead: DeadLetters, given: Given, world: World): Promise<number> {
  const all = await dead.list(wholeOf(given, 'limit', 100));
  const rows = all.map(({ message, attempts, reason, error, deadAtMs }) => ({
    id: message.id,
    key: message.key,
    type: message.type,
    attempts,
    since: new Date(deadAtMs).toISOString(),
    reason,
    error: error.length > 60 ? `${error.slice(0, 60)}…` : error,
  }));
  print(rows.length === 0 ? 'there are no dead letters\n' : table(rows), all.map(asValue), given, world);
  return exitCodes.done;
}

async function show(dead: DeadLetters, id: string, given: Given, { terminal }: World): Promise<number> {
  const letter = await dead.get(id);
  if (!given.flag('json'))
    terminal.err(`could not be handled in ${letter.attempts} attempts: ${letter.reason}: ${letter.error}\n`);
  terminal.out(`${JSON.stringify(asValue(letter), undefined, 2)}\n`);
  return exitCodes.done;
}

async function settle(
  dead: DeadLetters,
  verb: 'replay' | 'drop',
  id: string | undefined,
  given: Given,
  world: World,
): Promise<number> {
  const ids =
    id === undefined ? (await dead.list(Number.MAX_SAFE_INTEGER)).map(({ message }) => message.id) : [id];
  const showing = counter(world.terminal, verb === 'replay' ? 'sent again' : 'dropped', ids.length);
  for (const [at, each] of ids.entries()) {
    await dead[verb](each);
    showing.at(at + 1);
  }
  showing.end();
  const done = verb === 'replay' ? 'sent again' : 'dropped';
  print(
    `${ids.length} ${ids.length === 1 ? 'message was' : 'messages were'} ${done}\n`,
    { [verb]: ids },
    given,
    world,
  );
  return exitCodes.done;
}

function asValue({ message, ...others }: DeadLetter): Record<string, unknown> {
  return { ...others, message: shown(message) };
}

function print(text: string, value: unknown, given: Given, { terminal }: World): void {
  terminal.out(given.flag('json') ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}
