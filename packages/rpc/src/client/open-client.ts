import {
  checkService,
  type Instance,
  parseTarget,
  type Registry,
  type Resolver,
  resolver,
  type ServiceChecksOptions,
} from '@heddle/discovery';
import type { Runtime, Service } from '@heddle/kernel';
import {
  Breaker,
  type BreakerRules,
  Failover,
  type FailoverOptions,
  type Policy,
  RetryBudget,
} from '@heddle/traffic';
import {
  balance,
  type GuardOptions,
  InstanceGroup,
  type LayerLine,
  policyByName,
  type PolicySurroundings,
  type Upstream,
} from '@heddle/upstream';
import { clientStack } from '../client-stack.ts';
import type { LayerOptions, ProtocolOptions } from './stack-options.ts';

/** What every client is told, whatever it speaks. */
export interface ClientOptions<Req, Res>
  extends LayerOptions<Req, Res>,
    Pick<GuardOptions<Req, Res>, 'breaker' | 'outliers' | 'onBreaker'> {
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
  /** Connects to instances before a call needs it. Default false. */
  readonly warmUp?: boolean;
  /**
   * Asks every instance of a `discovery:` target from here how it is, every 10 s unless it says otherwise: what this
   * client can reach counts for more than what the registry says. Default: the registry's word is taken.
   */
  readonly probe?: Partial<Omit<ServiceChecksOptions, 'runtime' | 'registry' | 'service'>>;
  /** A breaker for the service as a whole, beside those of its instances. Default: none. */
  readonly serviceBreaker?: Partial<BreakerRules>;
  /** Where calls go while this target is not well, and when they come back. Default: nowhere. */
  readonly failover?: FailoverOptions & { readonly target: string };
}

/** What a protocol adds. */
export interface ClientProtocol<Req, Res> extends ProtocolOptions<Req, Res> {
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
 * Starts to follow the target (and that of its failover) and builds the stack for it. Throws as `parseTarget`, and
 * without a registry where one is needed. It holds watches and connections until `drain` or `close`.
 */
export function openClient<Req, Res>(
  options: ClientOptions<Req, Res>,
  protocol: ClientProtocol<Req, Res>,
): Client<Req, Res> {
  const { runtime, target, failover, serviceBreaker, budget = new RetryBudget(runtime.clock) } = options;
  const groups: InstanceGroup<Req, Res>[] = [];
  const open = (text: string): InstanceGroup<Req, Res> => {
    const group = openGroup(text, options, protocol);
    groups.push(group);
    return group;
  };
  const group = open(target);
  const state = serviceBreaker && new Breaker(runtime, { ...serviceBreaker, name: target });
  const backup = failover && backupOf(failover, runtime, open);
  const { serviceBreaker: _rules, failover: _target, ...layers } = options;
  const { service, lines } = clientStack<Req, Res>({
    ...layers,
    ...protocol,
    group,
    budget,
    ...(state !== undefined && { serviceBreaker: state }),
    ...(backup !== undefined && { failover: backup }),
  });
  return {
    service,
    layers: lines,
    drain: async () => {
      await Promise.all(groups.map((each) => each.drain()));
      state?.close();
    },
    close: () => {
      for (const each of groups) each.close();
      state?.close();
    },
  };
}

function openGroup<Req, Res>(
  target: string,
  options: ClientOptions<Req, Res>,
  { connect, classify }: ClientProtocol<Req, Res>,
): InstanceGroup<Req, Res> {
  const { runtime, breaker, outliers, onBreaker } = options;
  const guards: GuardOptions<Req, Res> = {
    classify,
    ...(breaker !== undefined && { breaker }),
    ...(outliers !== undefined && { outliers }),
    ...(onBreaker !== undefined && { onBreaker }),
  };
  // Made first: it throws for a name that is not known, and nothing is left running then.
  const policy = policyOf(options);
  const warmUp = options.warmUp ?? false;
  return new InstanceGroup({ runtime, resolver: sourceOf(target, options), policy, connect, guards, warmUp });
}

function sourceOf<Req, Res>(target: string, options: ClientOptions<Req, Res>): Resolver {
  const { runtime, registry, probe } = options;
  if (registry === undefined) return resolver(target, { runtime });
  const parsed = parseTarget(target);
  if (probe === undefined || parsed.kind === 'static') return resolver(parsed, { runtime, registry });
  const { service } = parsed;
  const health = checkService({
    check: { kind: 'grpc' },
    intervalMs: 10_000,
    ...probe,
    runtime,
    registry,
    service,
  });
  const source = resolver(parsed, { runtime, registry, health });
  return {
    target: source.target,
    get current() {
      return source.current;
    },
    get problem() {
      return source.problem;
    },
    subscribe: (listener) => source.subscribe(listener),
    close: () => {
      health.close();
      source.close();
    },
  };
}

function policyOf<Req, Res>(options: ClientOptions<Req, Res>): Policy {
  const { runtime, balancing, policy = 'weighted_round_robin' } = options;
  const { clock, random } = runtime;
  return typeof policy === 'string' ? policyByName(policy, { clock, random, ...balancing }) : policy;
}

function backupOf<Req, Res>(
  { target, ...rules }: FailoverOptions & { readonly target: string },
  { clock }: Runtime,
  open: (target: string) => InstanceGroup<Req, Res>,
): { readonly state: Failover; readonly backup: Service<Req, Res> } {
  return { state: new Failover(clock, rules), backup: balance(open(target)) };
}
