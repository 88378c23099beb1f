import { experimental, type ServiceConfig } from '@grpc/grpc-js';
import { HeddleError } from '@heddle/kernel';
import { type BalancerConfig, balancerName, readBalancerConfig } from './balancer-config.ts';
import type { ChannelTarget } from './channel-target.ts';

/** How channels balance that do not say so themselves. */
export interface BalancingDefaults {
  /** For every service that `services` does not name. */
  readonly policy: BalancerConfig;
  /** By service name. */
  readonly services: Readonly<Record<string, BalancerConfig>>;
}

type StatusOr<T> = ReturnType<typeof experimental.statusOrFromValue<T>>;
type LbConfig = ServiceConfig['loadBalancingConfig'];

/**
 * The service config of a channel. What decides on balancing, first to last: the target's query, the channel option
 * `grpc.service_config`, the defaults of `register`. All else that the option says (retries, timeouts) stays.
 *
 * Throws `invalid_argument` / `BAD_SERVICE_CONFIG` for a configuration that grpc-js would not understand: it would pass
 * over it without a word, and send everything to a single instance.
 */
export function serviceConfigFor(
  target: ChannelTarget,
  option: unknown,
  defaults: BalancingDefaults,
): StatusOr<ServiceConfig> {
  const given = readOption(option);
  const loadBalancingConfig = balancingFor(target, given, defaults);
  const last = checked(loadBalancingConfig);
  return experimental.statusOrFromValue({ methodConfig: [], ...given, loadBalancingConfig: last });
}

function balancingFor(
  { service, policy, hashHeader }: ChannelTarget,
  given: Partial<ServiceConfig>,
  defaults: BalancingDefaults,
): LbConfig {
  const fallback = defaults.services[service] ?? defaults.policy;
  const named = policy !== undefined || hashHeader !== undefined;
  if (!named && given.loadBalancingConfig !== undefined && given.loadBalancingConfig.length > 0)
    return given.loadBalancingConfig;
  const config = {
    ...fallback,
    ...(policy !== undefined && { policy }),
    ...(hashHeader !== undefined && { hashHeader }),
  };
  return [{ [balancerName]: readBalancerConfig(config) }];
}

/** The first that can be used, as grpc-js chooses; an error where it would fall back silently. */
function checked(configs: LbConfig): LbConfig {
  const problems: string[] = [];
  for (const config of configs) {
    try {
      experimental.parseLoadBalancingConfig(config);
      return [config];
    } catch (thrown) {
      problems.push(`${JSON.stringify(config)}: ${(thrown as Error).message}`);
    }
  }
  const message = `no entry of loadBalancingConfig can be used, and grpc-js would fall back to pick_first: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SERVICE_CONFIG', message, sent: false });
}

function readOption(option: unknown): Partial<ServiceConfig> {
  if (option === undefined) return {};
  try {
    if (typeof option !== 'string') throw new TypeError('it is no text');
    return JSON.parse(option) as Partial<ServiceConfig>;
  } catch (cause) {
    const message = `the channel option grpc.service_config is not JSON: ${(cause as Error).message}`;
    throw new HeddleError({
      code: 'invalid_argument',
      reason: 'BAD_SERVICE_CONFIG',
      message,
      cause,
      sent: false,
    });
  }
}
