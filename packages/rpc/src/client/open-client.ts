import { type Instance, type Registry, resolver } from '@heddle/discovery';
import type { Runtime, Service } from '@heddle/kernel';
import { type Policy, RetryBudget } from '@heddle/traffic';
import {
  InstanceGroup,
  type LayerLine,
  policyByName,
  type PolicySurroundings,
  type Upstream,
} from '@heddle/upstream';
import { clientStack, type ClientStackOptions } from '../client-stack.ts';

/** What every client is told, whatever it speaks. */
export interface ClientOptions<Req, Res>
  extends Omit<ClientStackOptions<Req, Res>, ProtocolPart | 'group' | 'budget'> {
  readonly runtime: Runtime;
  /** `discovery:///order`, `static:///10.0.0.1:8080,…` or `host:port`; see `parseTarget`. */
  readonly target: string;
  /** For `discovery:` targets. */
  readonly registry?: Registry;
  /**
   * By name, as in `policyNames`, or one that is made already and is complete (it heeds `Candidate.blocked`).
   * Default `weighted_round_robin`.
   */
  readonly policy?: string | Policy;
  /** Where this client runs and the like, for policies by name. */
  readonly balancing?: Omit<PolicySurroundings, 'random' | 'clock'>;
  /** Default: a budget of its own, a fifth of the calls plus ten a second. */
  readonly budget?: RetryBudget;
}

type ProtocolPart = 'classify' | 'replay' | 'pushbackMs' | 'operation' | 'answer';

/** What a protocol adds. */
export interface ClientProtocol<Req, Res> extends Pick<ClientStackOptions<Req, Res>, ProtocolPart> {
  readonly connect: (instance: Instance) => Upstream<Req, Res>;
}

/** A client of one target, and its end. */
export interface Client<Req, Res> {
  readonly service: Service<Req, Res>;
  /** The layers around each call, the outermost first. */
  readonly layers: readonly LayerLine[];
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
  const { runtime, target, registry, balancing, budget = new RetryBudget(runtime.clock) } = options;
  const { policy: wanted = 'weighted_round_robin' } = options;
  const { clock, random } = runtime;
  const policy = typeof wanted === 'string' ? policyByName(wanted, { clock, random, ...balancing }) : wanted;
  const source = resolver(target, registry === undefined ? { runtime } : { runtime, registry });
  const { connect } = protocol;
  const group = new InstanceGroup<Req, Res>({ runtime, resolver: source, policy, connect });
  const { service, lines } = clientStack<Req, Res>({ ...options, ...protocol, group, budget });
  return { service, layers: lines, drain: () => group.drain(), close: () => group.close() };
}
