import { experimental } from '@grpc/grpc-js';
import type { Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type BalancerConfig, balancerName, readBalancerConfig } from './balancer-config.ts';
import { discoveryResolver } from './discovery-resolver.ts';
import { ParsedBalancerConfig, PolicyBalancer } from './policy-balancer.ts';

/** What `register` is told. */
export interface RegisterOptions {
  /** Where `discovery:///…` targets are looked up. Whoever made it closes it, after the channels. */
  readonly registry: Registry;
  /** How channels balance that do not say so themselves. Default `weighted_round_robin` by the registry's weights. */
  readonly policy?: string;
  /** The metadata key that the hashing policies go by, for the same channels. */
  readonly hashHeader?: string;
  /** The same by service, in place of the two above. */
  readonly services?: Readonly<Record<string, BalancerConfig>>;
  /** Where this process runs, for the policy `locality`. Default: `default`, as an instance that does not say. */
  readonly zone?: string;
  readonly region?: string;
  /** Default: `nodeRuntime`. */
  readonly runtime?: Runtime;
}

let registered = false;

/**
 * Adds discovery and balancing to `@grpc/grpc-js` (~1.14), for the whole process, by this one call before the first
 * client is made: `new OrderClient('discovery:///order?zone=a&policy=least_request', credentials)`. The balancer `heddle`
 * can also be named in a service config, with any resolver.
 *
 * Throws `failed_precondition` / `REGISTERED_TWICE` on a second call, since grpc-js cannot take a registration back, and
 * `invalid_argument` / `BAD_BALANCER_CONFIG`.
 */
export function register(options: RegisterOptions): void {
  const { registry, runtime = nodeRuntime({ name: 'grpc-js' }), services = {} } = options;
  const { policy = 'weighted_round_robin', hashHeader } = options;
  const fallback = readBalancerConfig({ policy, ...(hashHeader !== undefined && { hashHeader }) });
  for (const config of Object.values(services)) readBalancerConfig(config);
  if (registered) {
    const message =
      'register() of @heddle/rpc/grpc-js was called twice in this process; grpc-js keeps the first';
    throw new HeddleError({ code: 'failed_precondition', reason: 'REGISTERED_TWICE', message });
  }
  registered = true;
  const { zone, region } = options;
  const place = { ...(zone !== undefined && { zone }), ...(region !== undefined && { region }) };
  experimental.registerLoadBalancerType(
    balancerName,
    class extends PolicyBalancer {
      constructor(helper: experimental.ChannelControlHelper) {
        super(runtime, place, helper);
      }
    },
    ParsedBalancerConfig,
  );
  const resolver = discoveryResolver({ runtime, registry, policy: fallback, services });
  experimental.registerResolver('discovery', resolver);
}
