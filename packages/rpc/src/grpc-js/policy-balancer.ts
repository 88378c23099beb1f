import { connectivityState as states, experimental } from '@grpc/grpc-js';
import type { Runtime } from '@heddle/kernel';
import { LoadGroup, type Picker, type Policy } from '@heddle/traffic';
import { policyByName } from '@heddle/upstream';
import { type BalancerConfig, balancerName, readBalancerConfig } from './balancer-config.ts';
import { type GrpcCandidate, Leaves } from './grpc-candidate.ts';
import { instanceOf } from './instance-endpoint.ts';
import { PolicyPicker } from './policy-picker.ts';
import { TentativeCalls } from './tentative-calls.ts';

type Endpoints = Parameters<experimental.LoadBalancer['updateAddressList']>[0];
type ChannelOptions = Parameters<experimental.LoadBalancer['updateAddressList']>[2];

/** Where this process runs, for `locality`. */
export interface Place {
  readonly zone?: string;
  readonly region?: string;
}

/** A configuration that grpc-js has accepted. */
export class ParsedBalancerConfig implements experimental.TypedLoadBalancingConfig {
  readonly config: BalancerConfig;

  constructor(config: BalancerConfig) {
    this.config = config;
  }

  static createFromJson(given: unknown): ParsedBalancerConfig {
    return new ParsedBalancerConfig(readBalancerConfig(given));
  }

  getLoadBalancerName(): string {
    return balancerName;
  }

  toJsonObject(): object {
    return { [balancerName]: this.config };
  }
}

/**
 * A balancer of grpc-js around one of our policies: it keeps a connection to every endpoint, as grpc-js's `round_robin`
 * does, and has the policy pick among those that are ready. An update touches only the connections that it changes.
 */
export class PolicyBalancer implements experimental.LoadBalancer {
  readonly #runtime: Runtime;
  readonly #place: Place;
  readonly #helper: experimental.ChannelControlHelper;
  readonly #leafHelper: experimental.ChannelControlHelper;
  readonly #leaves = new Leaves();
  readonly #group = new LoadGroup();
  readonly #calls: TentativeCalls;
  #candidates: readonly GrpcCandidate[] = [];
  #config: BalancerConfig = {};
  #policy: Policy | undefined;
  #picker: Picker<GrpcCandidate> | undefined;
  #pushed = false;
  #paused = false;
  #lastError = 'none yet';

  constructor(runtime: Runtime, place: Place, helper: experimental.ChannelControlHelper) {
    this.#runtime = runtime;
    this.#place = place;
    this.#helper = helper;
    this.#calls = new TentativeCalls(runtime);
    this.#leafHelper = experimental.createChildChannelControlHelper(helper, {
      updateState: (_state, _picker, error) => {
        if (error !== null) this.#lastError = error;
        this.#publish();
      },
      // A registry pushes what changes. To ask it upon every lost connection only makes a storm.
      requestReresolution: () => {
        if (!this.#pushed) helper.requestReresolution();
      },
    });
  }

  updateAddressList(
    endpoints: Endpoints,
    config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    if (!(config instanceof ParsedBalancerConfig)) return false;
    this.#configure(config.config);
    if (!endpoints.ok) {
      // What was known before is better than nothing.
      if (this.#candidates.length === 0) this.#unavailable(endpoints.error.details);
      return true;
    }
    this.#pushed = endpoints.value.some((endpoint) => instanceOf(endpoint) !== undefined);
    const make = (endpoint: experimental.Endpoint): experimental.LeafLoadBalancer => {
      const leaf = new experimental.LeafLoadBalancer(endpoint, this.#leafHelper, options, note);
      leaf.startConnecting();
      return leaf;
    };
    this.#paused = true;
    this.#candidates = this.#leaves.candidates(endpoints.value, this.#group, make);
    this.#paused = false;
    if (this.#candidates.length === 0) this.#unavailable(`no instances: ${note}`);
    else this.#publish();
    return true;
  }

  // All connections are kept open, so there is nothing to wake up.
  exitIdle(): void {}

  resetBackoff(): void {}

  destroy(): void {
    this.#paused = true;
    this.#leaves.close();
  }

  getTypeName(): string {
    return balancerName;
  }

  #configure(config: BalancerConfig): void {
    if (this.#policy !== undefined && config.policy === this.#config.policy) {
      this.#config = config;
      return;
    }
    this.#config = config;
    this.#policy = policyByName(config.policy ?? 'weighted_round_robin', {
      ...this.#runtime,
      ...this.#place,
    });
    this.#picker = undefined;
  }

  #publish(): void {
    if (this.#paused || this.#candidates.length === 0 || this.#policy === undefined) return;
    const ready = this.#candidates.filter(({ leaf }) => leaf.getConnectivityState() === states.READY);
    if (ready.length > 0) {
      this.#picker = this.#policy(ready, this.#picker);
      const { hashHeader } = this.#config;
      const options = { runtime: this.#runtime, calls: this.#calls, hashHeader };
      this.#helper.updateState(states.READY, new PolicyPicker(this.#picker, options), null);
    } else if (this.#candidates.every(({ leaf }) => leaf.getConnectivityState() === states.TRANSIENT_FAILURE))
      this.#unavailable(`no instance can be reached; the last error: ${this.#lastError}`);
    else this.#helper.updateState(states.CONNECTING, new experimental.QueuePicker(this), null);
    this.#wakeIdle();
  }

  /** A connection that was closed by its server is made again before the next call needs it. */
  #wakeIdle(): void {
    for (const { leaf } of this.#candidates) if (leaf.getConnectivityState() === states.IDLE) leaf.exitIdle();
  }

  #unavailable(details: string): void {
    this.#helper.updateState(
      states.TRANSIENT_FAILURE,
      new experimental.UnavailablePicker({ details }),
      details,
    );
  }
}
