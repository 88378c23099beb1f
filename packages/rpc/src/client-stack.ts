import { classifyErrors, type Layer, type Service } from '@heddle/kernel';
import { traced, type TracedOptions } from '@heddle/telemetry';
import {
  adaptive,
  breaker,
  cache,
  coalesce,
  concurrency,
  failover,
  fallback,
  hashBy,
  hedge,
  rateLimit,
  retry,
  timeout,
} from '@heddle/traffic';
import {
  balance,
  explainedAttempt,
  type LayerLine,
  linesOf,
  type NamedLayer,
  stackOf,
} from '@heddle/upstream';
import { answerKey, explain, noteDecision, noteVerdict } from './client/stack-parts.ts';
import type { ClientStackOptions } from './client/stack-options.ts';

/** A stack, and what it consists of, for people. */
export interface ClientStack<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly lines: readonly LayerLine[];
}

/** What every client does with a call, from the caller outwards to the wire; the server's counterpart is `server-stack.ts`. */
export function clientStack<Req, Res>(options: ClientStackOptions<Req, Res>): ClientStack<Req, Res> {
  const layers = [...wholeCall(options), ...eachAttempt(options)];
  return { service: stackOf(layers)(balance(options.group)), lines: linesOf(layers) };
}

/** What is done once for a call, the outermost first. Each place has its reason, which `heddle explain layers` shows. */
function wholeCall<Req, Res>(options: ClientStackOptions<Req, Res>): NamedLayer<Req, Res>[] {
  const { classify, operation, copies, trace = {} } = options;
  return [
    {
      name: 'metrics',
      why: 'Outermost: what it measures is what the caller got, retries and their waits included, deadline misses too.',
      layer: options.observe,
    },
    {
      name: 'trace',
      why: 'Above all that records a trace id; below the metrics, which do not need one. All attempts share the span.',
      layer:
        trace === false
          ? undefined
          : traced({ name: operation, ...named(options), ...trace, kind: 'client', withCall: true }),
    },
    {
      name: 'explain',
      why: 'Above all that decides: it records what is decided below, and what came of it.',
      layer: when(options.decisions, (log) => explain(options, log)),
    },
    {
      name: 'fallback',
      why: 'Above all that may fail, the deadline included; below the record, which is to say what was replaced.',
      layer: when(options.fallback, (to) => fallback({ classify, to })),
    },
    {
      name: 'cache',
      why: 'Above all that costs something; below the fallback, since a stale answer is better than a made-up one.',
      layer: when(options.cache, (rules) =>
        cache({ ...rules, classify, keep: copies, key: (req) => options.identity(req) }),
      ),
    },
    {
      name: 'coalesce',
      why: 'Below the cache: of those that miss it at the same time one goes on. Above the limits, which count calls that are made.',
      layer:
        options.coalesce === true ? coalesce({ key: answerKey(options.identity), share: copies }) : undefined,
    },
    {
      name: 'deadline',
      why: "Above all that waits or repeats: the deadline is the caller's patience, and everything below shares it.",
      layer: timeout(),
    },
    {
      name: 'rate limit',
      why: 'Below the deadline, in which its waits count; before anything is done, and once for a call, not for a retry.',
      layer: when(options.rateLimit, (limit) => rateLimit(noteVerdict(limit))),
    },
    {
      name: 'bulkhead',
      why: 'Below the rate limit, so that what is refused there takes no place; a retry keeps the place of its call.',
      layer: when(options.bulkhead, (limit) => concurrency({ what: options.group.target, ...limit })),
    },
    {
      name: 'adaptive limit',
      why: 'Below the fixed one, which is its ceiling; above retry, since it learns from what calls take in all.',
      layer: when(options.adaptive, (limit) => adaptive(limit, { classify })),
    },
    {
      name: 'hash key',
      why: 'Above retry: every attempt of a call has the same key.',
      layer: when(options.hashBy, (sources) => hashBy(...sources)),
    },
    {
      name: 'service breaker',
      why: 'Above retry: a service that is given up is not tried three times. With a failover it stands below that.',
      layer: options.failover === undefined ? serviceBreaker(options) : undefined,
    },
  ];
}

/** A client's span names whom it asks, and failed if the answer means that. */
function named<Req, Res>({
  group,
  classify,
}: ClientStackOptions<Req, Res>): Required<
  Pick<TracedOptions<Req, Res>, 'describe' | 'failed' | 'onlyErrors'>
> {
  const onlyErrors = classify === classifyErrors;
  const report = { attributes: { 'peer.service': group.target.replace(/^[a-z]+:\/\/\//, '') } };
  return {
    onlyErrors,
    failed: (req, value) => {
      const meaning = classify(req, { ok: true, value });
      return meaning === 'failure' || meaning === 'retryable';
    },
    describe: () => report,
  };
}

/** What is done for each attempt. */
function eachAttempt<Req, Res>(options: ClientStackOptions<Req, Res>): NamedLayer<Req, Res>[] {
  const { classify, replay, budget } = options;
  return [
    {
      name: 'retry',
      why: 'Above the balancer: every attempt picks anew, and avoids the instances where earlier ones have failed.',
      layer: retry({ ...retryOptions(options), onDecision: noteDecision }),
    },
    {
      name: 'hedge',
      why: 'Below retry: a hedge is part of an attempt, and a retry follows only when all of them have failed.',
      layer: when(options.hedge, (rules) => hedge({ ...rules, classify, replay, budget, deposits: false })),
    },
    {
      name: 'attempt records',
      why: 'Below all that repeats: one for each attempt, also for those that find no instance.',
      layer: when(options.decisions, () => explainedAttempt(options.answer)),
    },
    {
      name: 'attempt metrics',
      why: 'Next to the wire: what goes out, of which there may be more than of calls.',
      layer: options.observeAttempt,
    },
    {
      name: 'failover',
      why: 'Below retry: what failed at the primary may be repeated at the backup.',
      layer: when(options.failover, (rules) => failover({ ...rules, classify })),
    },
    {
      name: 'service breaker of the primary',
      why: 'Below failover: a call that it refuses goes to the backup at once.',
      layer: options.failover === undefined ? undefined : serviceBreaker(options),
    },
    {
      name: 'balance',
      why: 'Innermost: below it there is one instance with its breaker and its ejection (upstream/guard.ts), its protocol (grpc-exchange.ts), the context on the request with the time left for this attempt, and its connections.',
      // It is the service that the layers are put around.
      layer: (next) => next,
    },
  ];
}

function serviceBreaker<Req, Res>({
  serviceBreaker: state,
  classify,
}: ClientStackOptions<Req, Res>): Layer<Req, Res> | undefined {
  return when(state, (given) => breaker(given, { classify }));
}

function retryOptions<Req, Res>(
  options: ClientStackOptions<Req, Res>,
): Parameters<typeof retry<Req, Res>>[0] {
  const { classify, replay, budget, attempts, backoff, attemptTimeoutMs, pushbackMs } = options;
  return {
    classify,
    replay,
    budget,
    ...(attempts !== undefined && { attempts }),
    ...(backoff !== undefined && { backoff }),
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
    ...(pushbackMs !== undefined && { pushbackMs }),
  };
}

function when<T, R>(given: T | undefined, make: (given: T) => R): R | undefined {
  return given === undefined ? undefined : make(given);
}
