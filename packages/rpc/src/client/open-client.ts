import { type Instance, type Registry, resolver } from '@heddle/discovery';
import type { Classify, Layer, Replay, Result, Runtime, Service } from '@heddle/kernel';
import { type Backoff, type Policy, RetryBudget, weightedRoundRobin } from '@heddle/traffic';
import { clientStack } from '../client-stack.ts';
import { InstanceGroup, type Upstream } from '@heddle/upstream';

/** What every client is told, whatever it speaks. */
export interface ClientOptions<Req, Res> {
  readonly runtime: Runtime;
  /** `discovery:///order`, `static:///10.0.0.1:8080,…` or `host:port`; see `parseTarget`. */
  readonly target: string;
  /** For `discovery:` targets. */
  readonly registry?: Registry;
  /** Default `weightedRoundRobin`. */
  readonly policy?: Policy;
  /** Attempts in all. Default 3; 1 switches retries off. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How long one attempt may take until its response begins. Default: until the deadline. */
  readonly attemptTimeoutMs?: number;
  /** Default: a budget of its own, a fifth of the calls plus ten a second. */
  readonly budget?: RetryBudget;
  /** Counts, times and traces calls, and attempts. Default: nothing. */
  readonly observe?: Layer<Req, Res>;
  readonly observeAttempt?: Layer<Req, Res>;
}

/** What a protocol adds. */
export interface ClientProtocol<Req, Res> {
  readonly connect: (instance: Instance) => Upstream<Req, Res>;
  readonly classify: Classify<Req, Res>;
  readonly replay: Replay<Req>;
  readonly pushbackMs: (result: Result<Res>) => number | undefined;
}

/** A client of one target, and its end. */
export interface Client<Req, Res> {
  readonly service: Service<Req, Res>;
  /** Takes no new call; resolves when those in flight are done and the connections are closed. */
  drain(): Promise<void>;
  /** Drops everything. */
  close(): void;
}

/**
 * Starts to follow the target and builds the stack for it. Throws as `parseTarget`, and without a registry where one
 * is needed. It holds a watch and connections until `drain` or `close`.
 */
export function openClient<Req, Res>(
  options: ClientOptions<Req, Res>,
  protocol: ClientProtocol<Req, Res>,
): Client<Req, Res> {
  const {
    runtime,
    target,
    registry,
    policy = weightedRoundRobin,
    budget = new RetryBudget(runtime.clock),
  } = options;
  const source = resolver(target, registry === undefined ? { runtime } : { runtime, registry });
  const { connect, classify, replay, pushbackMs } = protocol;
  const group = new InstanceGroup<Req, Res>({ runtime, resolver: source, policy, connect });
  const service = clientStack<Req, Res>({ ...options, group, budget, classify, replay, pushbackMs });
  return { service, drain: () => group.drain(), close: () => group.close() };
}
