import { type Registry, remoteRegistry, type Resolver, resolver } from '@heddle/discovery';
import { Call, HeddleError, type Result, type Runtime, settle, sleep } from '@heddle/kernel';
import { httpClient } from '@heddle/rpc';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import type { Ledger } from './ledger.ts';
import { registryAddress } from './registry-program.ts';

/** What a client's program is told. */
export interface ClientProgramOptions {
  readonly host: string;
  readonly services: readonly string[];
  readonly ledger: Ledger;
  /** Mean time between two calls. */
  readonly everyMs: number;
  /** Patience for a call. */
  readonly deadlineMs: number;
  /** For planting a bug: what is used in place of the registry, and of a service's client. */
  readonly disguiseRegistry?: (registry: Registry) => Registry;
  readonly disguiseClient?: (client: HttpService) => HttpService;
}

/** A running client. */
export interface RunningClient {
  /** Ids of the instances that it would call now; undefined before it knows any. */
  seen(service: string): readonly string[] | undefined;
  /** Resolves when its calls have ended and its connections are closed. */
  stop(): Promise<void>;
}

const longestAnswerBytes = 1000;
// Half of the calls may hang on a machine that has lost its power; the other attempts must fit into the deadline.
const attemptTimeoutMs = 500;

/** Calls services at random, without waiting for one call before the next. */
export function runClient(runtime: Runtime, options: ClientProgramOptions): RunningClient {
  const { services, disguiseRegistry = same, disguiseClient = same } = options;
  const registry = disguiseRegistry(remoteRegistry({ runtime, addresses: [registryAddress] }));
  const views = new Map<string, Resolver>();
  const clients = services.map((service) => {
    const target = `discovery:///${service}`;
    views.set(service, resolver(target, { runtime, registry }));
    const client = httpClient({ runtime, target, registry, attemptTimeoutMs });
    return { service, drain: () => client.drain(), send: disguiseClient(client.service) };
  });
  const running = new Set<Promise<void>>();
  let stopped = false;
  const loop = async (): Promise<void> => {
    for (let number = 1; !stopped; number++) {
      await sleep(runtime.timers, runtime.random.float() * 2 * options.everyMs);
      const chosen = clients[runtime.random.uint32() % clients.length];
      if (stopped || chosen === undefined) return;
      const one = makeCall(runtime, options, chosen, number).finally(() => running.delete(one));
      running.add(one);
    }
  };
  const looping = loop();
  return {
    seen: (service) => views.get(service)?.current?.instances.map(({ id }) => id),
    stop: async () => {
      stopped = true;
      await looping;
      await Promise.all(running);
      await Promise.all(clients.map((client) => client.drain()));
      for (const view of views.values()) view.close();
      await registry.close();
    },
  };
}

async function makeCall(
  runtime: Runtime,
  { host, ledger, deadlineMs }: ClientProgramOptions,
  { service, send }: { readonly service: string; readonly send: HttpService },
  number: number,
): Promise<void> {
  const kind = runtime.random.float() < 0.3 ? 'change' : 'read';
  const startMs = runtime.clock.nowMs();
  const id = `${kind}-${host}-${runtime.random.uint32()}-${number}`;
  const record = { id, kind, client: host, service, startMs } as const;
  ledger.begin(record);
  const request: HttpRequest = {
    method: kind === 'read' ? 'GET' : 'POST',
    scheme: 'http',
    authority: '',
    path: `/${id}`,
    fields: new Fields(),
    body: emptyBody,
  };
  const result = await settle(send, request, Call.root(runtime, startMs + deadlineMs));
  ledger.end(record, await problemOf(result, id));
}

/** What was wrong with the answer, if anything. */
async function problemOf(result: Result<HttpResponse>, id: string): Promise<string | undefined> {
  try {
    if (!result.ok) throw result.error;
    const answer = new TextDecoder().decode(await result.value.body.bytes(longestAnswerBytes));
    if (result.value.status !== 200) return `status ${result.value.status}: ${answer}`;
    return answer.endsWith(` did /${id}`) ? undefined : `somebody else's answer: ${answer}`;
  } catch (thrown) {
    const { code, reason, message, sent } = HeddleError.from(thrown);
    return `${code} ${reason} (sent: ${sent}): ${message}`;
  }
}

function same<T>(value: T): T {
  return value;
}
