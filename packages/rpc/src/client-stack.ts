import type { Classify, Layer, Replay, Result, Service } from '@heddle/kernel';
import { traced, type TracedOptions } from '@heddle/telemetry';
import { type Backoff, type RetryBudget, retry, timeout } from '@heddle/traffic';
import {
  balance,
  type DecisionLog,
  explained,
  explainedAttempt,
  type InstanceGroup,
  type LayerLine,
  linesOf,
  type NamedLayer,
  recording,
  stackOf,
} from '@heddle/upstream';

/** What a client's stack is made from. Protocols differ in these; the order is the same for all. */
export interface ClientStackOptions<Req, Res> {
  readonly group: InstanceGroup<Req, Res>;
  readonly budget: RetryBudget;
  readonly classify: Classify<Req, Res>;
  readonly replay: Replay<Req>;
  readonly pushbackMs?: (result: Result<Res>) => number | undefined;
  /** Names a call for people: `shop.order.v1.OrderService/Get`. */
  readonly operation: (req: Req) => string;
  /** What a result says that is a value, for decision records: `status 503`. Default: nothing. */
  readonly answer?: (res: Res) => string;
  /** Attempts in all. Default 3. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How long one attempt may take until its response begins. Default: until the deadline. */
  readonly attemptTimeoutMs?: number;
  /** Counts and times calls. Default: nothing. */
  readonly observe?: Layer<Req, Res>;
  /** The same for each attempt. Default: nothing. */
  readonly observeAttempt?: Layer<Req, Res>;
  /** What becomes of spans; `false`: calls get none of their own. Default: they do, and nobody takes them. */
  readonly trace?: false | Omit<TracedOptions<Req>, 'kind'>;
  /** Where decision records go. Default: none are made. */
  readonly decisions?: DecisionLog;
}

/** A stack, and what it consists of, for people. */
export interface ClientStack<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly lines: readonly LayerLine[];
}

/** What every client does with a call, from the caller outwards to the wire; the server's counterpart is `server-stack.ts`. */
export function clientStack<Req, Res>(options: ClientStackOptions<Req, Res>): ClientStack<Req, Res> {
  const layers = clientLayers(options);
  return { service: stackOf(layers)(balance(options.group)), lines: linesOf(layers) };
}

/** The layers, the outermost first. Each place has its reason, which `heddle explain layers` shows. */
function clientLayers<Req, Res>(options: ClientStackOptions<Req, Res>): readonly NamedLayer<Req, Res>[] {
  const { operation, decisions, answer, trace = {} } = options;
  return [
    {
      name: 'metrics',
      why: 'Outermost: what it measures is what the caller got, retries and their waits included, deadline misses too.',
      layer: options.observe,
    },
    {
      name: 'trace',
      why: 'Above all that records a trace id; below the metrics, which do not need one. All attempts share the span.',
      layer: trace === false ? undefined : traced({ name: operation, ...trace, kind: 'client' }),
    },
    {
      name: 'explain',
      why: 'Above all that decides: it records what is decided below, and what came of it.',
      layer: decisions === undefined ? undefined : explain(options, decisions),
    },
    {
      name: 'deadline',
      why: "Above retry: the deadline is the caller's patience, and all attempts share it.",
      layer: timeout(),
    },
    {
      name: 'retry',
      why: 'Above the balancer: every attempt picks anew, and avoids the instances where earlier ones have failed.',
      layer: retry({
        ...options,
        onDecision: (call, decision) => call.get(recording)?.decided(decision),
      }),
    },
    {
      name: 'attempt records',
      why: 'Below retry: one for each attempt, also for those that find no instance.',
      layer: decisions === undefined ? undefined : explainedAttempt(answer),
    },
    {
      name: 'attempt metrics',
      why: 'Next to the wire: what goes out, of which there may be more than of calls.',
      layer: options.observeAttempt,
    },
    {
      name: 'balance',
      why: 'Innermost: below it there is one instance, its protocol (grpc-exchange.ts), the context on the request with the time that is left for this attempt, and its connections.',
      // It is the service that the layers are put around.
      layer: (next) => next,
    },
  ];
}

function explain<Req, Res>(options: ClientStackOptions<Req, Res>, log: DecisionLog): Layer<Req, Res> {
  const { group, operation, classify, answer, budget } = options;
  return explained({
    log,
    side: 'client',
    target: group.target,
    operation,
    classify,
    ...(answer !== undefined && { answer }),
    layers: () => ({ 'retry budget': `${budget.available} retries left` }),
  });
}
