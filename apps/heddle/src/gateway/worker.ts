import type { Registry } from '@heddle/discovery';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import type { Prepared } from '@heddle/proxy';
import { emptyBody, Fields, type HttpService } from '@heddle/wire';
import { LocalEngine } from './local-engine.ts';
import type { Answer, Channel, Question, ToldError, ToSupervisor, ToWorker } from './messages.ts';
import type { Serving } from './serving.ts';
import { SharedPlaces } from './shared-places.ts';
import { SharedRateStore } from './shared-rate-store.ts';
import { verdictsOver } from './shared-verdicts.ts';

type WorkerChannel = Channel<ToWorker, ToSupervisor>;

/** Says hello, and gives the engine that the supervisor wants. Rejects as `LocalEngine` does. */
export async function beginEngine(
  channel: WorkerChannel,
  runtime: Runtime,
  registry: Registry | undefined,
  files: (name: string) => Uint8Array | undefined,
): Promise<{ readonly engine: LocalEngine; readonly number: number }> {
  const begin = new Promise<{ serving: Serving; number: number }>((resolve) => {
    channel.onMessage((message) => message.kind === 'begin' && resolve(message));
  });
  channel.send({ kind: 'hello' });
  const { serving, number } = await begin;
  const rateStore = new SharedRateStore(channel, runtime.timers);
  const shared = {
    rateStore,
    verdicts: verdictsOver(channel),
    places: new SharedPlaces(channel, (): number => engine.gateway.inFlight),
  };
  const engine: LocalEngine = new LocalEngine({ runtime, ...serving, registry, files, ...shared });
  return { engine, number };
}

/** Does what the supervisor says from now on. */
export function obey(channel: WorkerChannel, engine: LocalEngine, runtime: Runtime): void {
  const prepared = new Map<number, { readonly ready: Prepared; readonly serving: Serving }>();
  channel.onMessage((message) => {
    switch (message.kind) {
      case 'prepare': {
        const { number, serving } = message;
        try {
          prepared.set(number, { ready: engine.gateway.prepare(serving.config), serving });
          channel.send({ kind: 'prepared', number, error: undefined });
        } catch (thrown) {
          channel.send({ kind: 'prepared', number, error: told(thrown) });
        }
        return;
      }
      case 'commit': {
        const { ready, serving } = prepared.get(message.number) ?? {};
        prepared.delete(message.number);
        // First: a server must have its certificate when it is there.
        if (serving !== undefined) void engine.renew(serving.tls);
        ready?.commit();
        channel.send({ kind: 'committed', number: message.number });
        return;
      }
      case 'discard':
        prepared.get(message.number)?.ready.discard();
        prepared.delete(message.number);
        return;
      case 'renew':
        void engine.renew(message.tls);
        return;
      case 'leave':
        engine.gateway.leave();
        return;
      case 'ask':
        void answerOf(engine, message.question, runtime).then((answer) =>
          channel.send({ kind: 'answer', id: message.id, answer }),
        );
        return;
      case 'begin':
      case 'taken':
      case 'verdict':
      case 'places':
      case 'recall':
        // For those who share, see `beginEngine`.
        return;
    }
  });
}

/** An error as it goes to another process. */
export function told(thrown: unknown): ToldError {
  const { code, reason, message } = HeddleError.from(thrown);
  return { code, reason, message };
}

async function answerOf(engine: LocalEngine, question: Question, runtime: Runtime): Promise<Answer> {
  switch (question.kind) {
    case 'status':
      return { kind: 'status', status: engine.statusNow() };
    case 'metrics':
      return textOf(engine.metrics, '/metrics', runtime);
    case 'explain':
      return textOf(engine.explain, question.path, runtime);
  }
}

/** What a service of this process answers. */
async function textOf(service: HttpService, path: string, runtime: Runtime): Promise<Answer> {
  const request = {
    method: 'GET',
    scheme: 'http' as const,
    authority: 'localhost',
    path,
    fields: new Fields(),
    body: emptyBody,
  };
  const result = await settle(service, request, Call.root(runtime));
  if (!result.ok) return { kind: 'text', status: 500, text: result.error.message };
  const { status, body } = result.value;
  return { kind: 'text', status, text: new TextDecoder().decode(await body.bytes(longestAnswer)) };
}

const longestAnswer = 64 * 1_048_576;
