import { type Contract, type Json, type Operation, operationsOf, tryHttp, tryRpc } from '@heddle/api';
import type { Registry } from '@heddle/discovery';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { createTransport, httpClient } from '@heddle/rpc';

/** What is tried, and how. */
export interface Trial {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  /** The content, or the messages of a stream. */
  readonly inputs: readonly Json[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Where it is tried. */
export interface TrialPlace {
  readonly runtime: Runtime;
  /** `discovery:///order` or `static:///host:port`. */
  readonly target: string;
  /** For `discovery:///`. */
  readonly registry: Registry | undefined;
}

/** One thing that came back. */
export type TrialOutput =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'message'; readonly message: Json };

/** The operation of a contract. Rejects with `not_found` / `NO_SUCH_OPERATION` and the nearest ones. */
export function operationIn(contract: Contract, id: string): Operation {
  const all = operationsOf(contract);
  const found =
    all.find((one) => one.id === id) ??
    all.find((one) => one.kind === 'http' && one.name === id) ??
    all.find((one) => one.kind === 'grpc' && one.id.split('/')[1] === id);
  if (found !== undefined) return found;
  const message = `there is no operation "${id}"; there are ${all.map((one) => one.id).join(', ') || 'none'}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_OPERATION', message, sent: false });
}

/** Tries an operation of HTTP or gRPC, and gives what comes back as it comes. */
export async function* tried(
  contract: Contract,
  trial: Trial,
  { runtime, target, registry }: TrialPlace,
): AsyncGenerator<TrialOutput, void> {
  const operation = operationIn(contract, trial.operation);
  const { headers, timeoutMs, inputs, parameters } = trial;
  const place = { runtime, target, ...(registry !== undefined && { registry }) };
  if (operation.kind === 'grpc') {
    const transport = createTransport({ ...place, timeoutMs });
    try {
      const messages = tryRpc(transport, operation.method, eachOf(inputs), { headers, timeoutMs });
      for await (const message of messages) yield { kind: 'message', message };
    } finally {
      transport.close();
    }
  } else if (operation.kind === 'http') {
    const client = httpClient(place);
    const call = Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
    const limit = runtime.timers.after(timeoutMs, () => call.cancel(tooSlow(timeoutMs)));
    try {
      const [body] = inputs;
      const authority = target.replace(/^[a-z]+:\/\/\//, '');
      yield {
        kind: 'answer',
        ...(await tryHttp(client.service, { operation, authority, parameters, body, headers }, call)),
      };
    } finally {
      limit.cancel();
      call.end();
      client.close();
    }
  } else throw notHere(operation.id);
}

async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

function tooSlow(timeoutMs: number): HeddleError {
  const message = `no answer within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED', message });
}

function notHere(id: string): HeddleError {
  const message = `"${id}" is of messages, and needs a broker: "heddle api call" with --broker`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NEEDS_BROKER', message, sent: false });
}
