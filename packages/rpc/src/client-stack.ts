import { type Classify, type Layer, type Replay, type Result, type Service, stack } from '@heddle/kernel';
import { type Backoff, type RetryBudget, retry, timeout } from '@heddle/traffic';
import { balance, type InstanceGroup } from '@heddle/upstream';

/** What a client's stack is made from. Protocols differ in these; the order is the same for all. */
export interface ClientStackOptions<Req, Res> {
  readonly group: InstanceGroup<Req, Res>;
  readonly budget: RetryBudget;
  readonly classify: Classify<Req, Res>;
  readonly replay: Replay<Req>;
  readonly pushbackMs?: (result: Result<Res>) => number | undefined;
  /** Attempts in all. Default 3. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How long one attempt may take until its response begins. Default: until the deadline. */
  readonly attemptTimeoutMs?: number;
  /** Counts, times and traces calls. Default: nothing. */
  readonly observe?: Layer<Req, Res>;
  /** The same for each attempt. Default: nothing. */
  readonly observeAttempt?: Layer<Req, Res>;
}

/**
 * What every client does with a call, from the caller outwards to the wire. Each line's place has its reason; the
 * server's counterpart is `server-stack.ts`.
 */
export function clientStack<Req, Res>(options: ClientStackOptions<Req, Res>): Service<Req, Res> {
  const { observe = passOn, observeAttempt = passOn } = options;
  return stack<Req, Res>(
    // Outermost: what it measures is what the caller got, retries and their waits included, deadline misses too.
    observe,
    // Above retry: the deadline is the caller's patience, and all attempts share it.
    timeout(),
    // Above balance: every attempt picks anew, and avoids the instances where earlier ones have failed.
    retry(options),
    // Below retry: one line for each request that goes on the wire; above balance: also for those that found no instance.
    observeAttempt,
    // Innermost: below it there is one instance. What follows is its own: gRPC (grpc-exchange.ts), then the context on
    // the request (propagateOut: the time left is that of this attempt), then the wire's endpoint and its connections.
  )(balance(options.group));
}

function passOn<Req, Res>(next: Service<Req, Res>): Service<Req, Res> {
  return next;
}
