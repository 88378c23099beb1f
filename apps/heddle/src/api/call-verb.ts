import { type Contract, type Json, type MessageOperationIn, schemaCheck } from '@heddle/api';
import { HeddleError } from '@heddle/kernel';
import { exitCodes, usageError } from '../command.ts';
import { openBroker } from '../node/open-broker.ts';
import { readInput } from '../node/read-input.ts';
import { chosenRegistry } from '../registry-access.ts';
import { type ApiAsked, type ApiVerb, contractOf } from './api-asked.ts';
import { operationIn, tried } from './try-operation.ts';

/** `heddle api call`: tries an operation of any kind. */
export const call: ApiVerb = async (asked) => {
  const { words, given, runtime, world } = asked;
  const [service, id, ...pairs] = words;
  if (service === undefined || id === undefined)
    throw usageError('"heddle api call" takes SERVICE|FILE OPERATION [name=value…]');
  const contract = await contractOf(asked, service);
  const operation = operationIn(contract, id);
  const inputs = await inputsOf(asked, operation.kind === 'grpc');
  if (operation.kind === 'message') return overBroker(asked, contract, operation, inputs);
  const target = given.text('target');
  const registry = target === undefined ? (await chosenRegistry(given, runtime)).registry : undefined;
  const trial = {
    operation: operation.id,
    parameters: pairsOf(pairs),
    inputs,
    headers: headersIn(given.text('header')),
    timeoutMs: 10_000,
  };
  const place = { runtime, registry, target: target ?? `discovery:///${service}` };
  let isGood = true;
  try {
    for await (const output of tried(contract, trial, place)) {
      if (output.kind === 'message') world.terminal.out(`${JSON.stringify(output.message)}\n`);
      else {
        isGood = output.status < 400;
        world.terminal.err(`${output.status}\n`);
        world.terminal.out(output.body.endsWith('\n') ? output.body : `${output.body}\n`);
      }
    }
  } finally {
    await registry?.close();
  }
  return isGood ? exitCodes.done : exitCodes.failed;
};

/** What goes in: `--body`, or with `-` what stands on the input, where a stream has a message on each line. */
async function inputsOf({ given }: ApiAsked, isStream: boolean): Promise<readonly Json[]> {
  const body = given.text('body');
  if (body === undefined) return isStream ? [{}] : [];
  const text = body === '-' ? await readInput() : body;
  const lines = isStream ? text.split('\n').filter((line) => line.trim() !== '') : [text];
  return lines.map((line) => {
    try {
      return JSON.parse(line) as Json;
    } catch {
      throw usageError(`--body expects JSON, found "${line.slice(0, 60)}"`);
    }
  });
}

function pairsOf(pairs: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError(`expected name=value, found "${pair.slice(0, 60)}"`);
    (values[pair.slice(0, at)] ??= []).push(pair.slice(at + 1));
  }
  return values;
}

/** `name: value` pairs, with semicolons between. */
function headersIn(text = ''): Record<string, string> {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf(':');
      if (at < 1) throw usageError(`--header expects "name: value", found "${part.slice(0, 60)}"`);
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
}

/** What a service takes is published, if its contract takes it; what it sends is shown as it comes. */
async function overBroker(
  asked: ApiAsked,
  contract: Contract,
  operation: MessageOperationIn,
  inputs: readonly Json[],
): Promise<number> {
  const { given, runtime, world } = asked;
  const { address, action, messages } = operation;
  const opened = await openBroker(given, runtime);
  try {
    if (action === 'receive') {
      const type = typeIn(given.text('type'), messages);
      const [body = {}] = inputs;
      checkPayload(contract, messages, type, body);
      const payload = new TextEncoder().encode(JSON.stringify(body));
      const { id } = await opened.bus.publish({ topic: address, type, payload });
      world.terminal.out(`${id}\n`);
      return exitCodes.done;
    }
    const wanted = Number(given.text('count') ?? 1);
    await new Promise<void>((resolve, reject) => {
      let seen = 0;
      world.onSignal(() => resolve());
      opened.bus
        .subscribe(address, { broadcast: true }, async ({ message }) => {
          const text = new TextDecoder().decode(message.payload);
          world.terminal.out(`${JSON.stringify({ type: message.type, payload: parsed(text) })}\n`);
          if (++seen >= wanted) resolve();
        })
        .then(() => world.terminal.err(`listening to ${address}\n`), reject);
    });
    return exitCodes.done;
  } finally {
    await opened.close();
  }
}

function typeIn(given: string | undefined, messages: MessageOperationIn['messages']): string {
  const types = messages.map(([type]) => type);
  const [only = ''] = types;
  if (given === undefined && types.length === 1) return only;
  if (given !== undefined && types.includes(given)) return given;
  throw usageError(`--type expects one of ${types.join(', ')}, found ${given ?? 'nothing'}`);
}

function checkPayload(
  { asyncapi = {} }: Contract,
  messages: MessageOperationIn['messages'],
  type: string,
  body: Json,
): void {
  const [, message] = messages.find(([one]) => one === type) ?? [];
  const schema = message?.['payload'];
  if (typeof schema !== 'object' || schema === null) return;
  const problems = schemaCheck(asyncapi)(schema as Parameters<ReturnType<typeof schemaCheck>>[0], body);
  if (problems.length === 0) return;
  const text = `the contract of ${type} does not take it: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'CONTRACT_REFUSES', message: text, sent: false });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
