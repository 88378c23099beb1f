import { text as wholeText } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { Call } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Message, type MessageInit, type MessageKind, messageKinds } from '@heddle/messaging';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { type OpenBroker, openBroker } from '../node/open-broker.ts';
import { counter } from '../terminal/counter.ts';
import { secondsOf } from '../node/seconds.ts';
import { emitUsage } from './emit.usage.ts';

const atOnce = 500;

/** `heddle emit`: sends messages. */
export const emit: Command = {
  ...emitUsage,
  run: async (given, world) => {
    const [topic, payload, ...rest] = given.words;
    if (topic === undefined || rest.length > 0)
      throw usageError('"heddle emit" needs a topic, and takes a payload');
    if (given.flag('lines') && payload !== undefined)
      throw usageError('--lines reads payloads from standard input: give none');
    const template = templateOf(given, topic);
    const timeoutMs = secondsOf(given, 'timeout', 10) * 1000;
    const runtime = nodeRuntime({ name: 'emit', logLevel: 'error' });
    const open = await openBroker(given, runtime);
    const call = (): Call => Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
    const later = given.text('after');
    const due =
      later === undefined
        ? {}
        : { deliverAtMs: Math.ceil(runtime.clock.wallMs() + secondsOf(given, 'after', 0) * 1000) };
    try {
      if (given.flag('lines')) await sendLines(open, { ...template, ...due }, call, given, world);
      else
        await sendOne(
          open,
          { ...template, ...due, payload: Buffer.from(payload ?? (await wholeText(process.stdin))) },
          call(),
          given,
          world,
        );
      return exitCodes.done;
    } finally {
      await open.close();
    }
  },
};

type Template = Omit<MessageInit, 'payload'>;

async function sendOne(
  { bus }: OpenBroker,
  init: MessageInit,
  call: Call,
  given: Given,
  { terminal }: World,
): Promise<void> {
  if (init.kind === 'query') {
    const answer = await bus.request(init, call);
    terminal.out(
      given.flag('json')
        ? `${JSON.stringify(shown(answer))}\n`
        : `${Buffer.from(answer.payload).toString()}\n`,
    );
  } else {
    const sent = await bus.publish(init, { call });
    terminal.out(given.flag('json') ? `${JSON.stringify(shown(sent))}\n` : `sent ${sent.id}\n`);
  }
  call.end();
}

async function sendLines(
  { bus }: OpenBroker,
  template: Template,
  call: () => Call,
  given: Given,
  { terminal }: World,
): Promise<void> {
  if (template.kind === 'query')
    throw usageError('--lines sends, and waits for no answers: give no --kind query');
  const showing = counter(terminal, 'messages');
  let sent = 0;
  let batch: MessageInit[] = [];
  const flush = async (): Promise<void> => {
    const each = call();
    await bus.publishBatch(batch, { call: each });
    each.end();
    sent += batch.length;
    batch = [];
    showing.at(sent);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '') continue;
    batch.push({ ...template, payload: Buffer.from(line) });
    if (batch.length >= atOnce) await flush();
  }
  if (batch.length > 0) await flush();
  showing.end();
  terminal.out(given.flag('json') ? `${JSON.stringify({ sent })}\n` : `sent ${sent} messages\n`);
}

function templateOf(given: Given, topic: string): Template {
  const kind = given.text('kind') ?? 'event';
  if (!messageKinds.includes(kind as MessageKind))
    throw usageError(`--kind expects one of ${messageKinds.join(', ')}, found "${kind}"`);
  const [key, type, contentType] = [given.text('key'), given.text('type'), given.text('content-type')];
  return {
    topic,
    kind: kind as MessageKind,
    ...(key !== undefined && { key }),
    ...(type !== undefined && { type }),
    ...(contentType !== undefined && { contentType }),
    headers: headersOf(given.text('headers')),
  };
}

function headersOf(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && Object.values(value as object).every((each) => typeof each === 'string'))
    return value as Record<string, string>;
  throw usageError(`--headers expects a JSON object of strings, found ${text}`);
}

/** A message as people and programs read it. */
export function shown(message: Message): Record<string, unknown> {
  const { payload, ...others } = message;
  return { ...others, payload: payloadOf(message, payload) };
}

function payloadOf({ contentType }: Message, payload: Uint8Array): unknown {
  const bytes = Buffer.from(payload);
  if (!/json/.test(contentType)) return bytes.toString('base64');
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return bytes.toString();
  }
}
