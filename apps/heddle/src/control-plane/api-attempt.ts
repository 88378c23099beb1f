import { type Contract, type Json, type MessageOperationIn, schemaCheck } from '@heddle/api';
import type { Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { operationIn, tried, type TrialOutput } from '../api/try-operation.ts';
import type { Broker } from '@heddle/messaging';
import type { OpenBroker } from '../node/open-broker.ts';

/** What somebody tries on a page. */
export interface Attempt {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** The content, or the messages of a stream. */
  readonly inputs: readonly Json[];
  /** Of messages: which one of those that the operation has. */
  readonly type: string | undefined;
}

/** What came of it: a call that fails has an error, and beside it what came before. */
export interface Attempted {
  readonly outputs: readonly (TrialOutput | { readonly kind: 'published'; readonly id: string })[];
  readonly tookMs: number;
  /** There was more than is shown. */
  readonly cut: boolean;
  readonly error: { readonly code: string; readonly reason: string; readonly message: string } | null;
}

/** Where it is tried. */
export interface AttemptPlace {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly broker: (() => Promise<OpenBroker>) | undefined;
}

const mostOutputs = 200;
const timeoutMs = 10_000;
const listenMs = 5000;
const mostHeard = 10;

/**
 * Tries an operation of a contract at the instances of its service, with HTTP, any pattern of gRPC, or messages. What the
 * service refuses is a result; rejects only for what the contract itself does not have.
 */
export async function attempted(
  place: AttemptPlace,
  service: string,
  contract: Contract,
  attempt: Attempt,
): Promise<Attempted> {
  const operation = operationIn(contract, attempt.operation);
  const { clock } = place.runtime;
  const startMs = clock.nowMs();
  const outputs: Attempted['outputs'][number][] = [];
  let [cut, error] = [false, null as Attempted['error']];
  try {
    const all =
      operation.kind === 'message'
        ? overBroker(place, contract, operation, attempt)
        : tried(contract, { ...attempt, timeoutMs }, { ...place, target: `discovery:///${service}` });
    for await (const output of all) {
      cut = outputs.length >= mostOutputs;
      if (cut) break;
      outputs.push(output);
    }
  } catch (thrown) {
    const { code, reason, message } = HeddleError.from(thrown);
    error = { code, reason, message };
  }
  return { outputs, tookMs: clock.nowMs() - startMs, cut, error };
}

/** What a service takes is published if its contract takes it; what it sends is listened to for a while. */
async function* overBroker(
  { broker, runtime }: AttemptPlace,
  contract: Contract,
  { action, address, messages }: MessageOperationIn,
  { inputs, type }: Attempt,
): AsyncGenerator<Attempted['outputs'][number], void> {
  if (broker === undefined)
    throw refused('NO_BROKER', 'the control plane has no broker: set HEDDLE_BROKER_URL');
  const { bus } = await broker();
  if (action === 'send') {
    for (const each of await heard(bus, address, runtime)) yield { kind: 'message', message: each };
    return;
  }
  const named = type ?? messages[0]?.[0] ?? '';
  const [, message] = messages.find(([one]) => one === named) ?? [];
  if (message === undefined)
    throw refused(
      'BAD_INPUT',
      `type: expected ${messages.map(([one]) => one).join(' or ')}, found "${named}"`,
    );
  const [content = {}] = inputs;
  const schema = message['payload'];
  const problems =
    typeof schema === 'object' && schema !== null
      ? schemaCheck(contract.asyncapi ?? {})(schema as Parameters<ReturnType<typeof schemaCheck>>[0], content)
      : [];
  if (problems.length > 0)
    throw refused('BAD_MESSAGE', `the contract of ${named} does not take it: ${problems.join('; ')}`);
  const payload = new TextEncoder().encode(JSON.stringify(content));
  const { id } = await bus.publish({ topic: address, type: named, payload });
  yield { kind: 'published', id };
}

/** The first messages that come within some seconds; none is taken from anybody. */
async function heard(bus: Broker, topic: string, runtime: Runtime): Promise<readonly Json[]> {
  const messages: Json[] = [];
  let enough = (): void => {};
  const full = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const timer = runtime.timers.after(listenMs, enough);
  const listening = await bus.subscribe(topic, { broadcast: true }, async ({ message }) => {
    const content = parsed(new TextDecoder().decode(message.payload));
    messages.push({ type: message.type, source: message.source, payload: content });
    if (messages.length >= mostHeard) enough();
  });
  await full;
  timer.cancel();
  await listening.close();
  return messages;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason, message, sent: false });
}
