import type { ServiceConfig } from '@heddle/discovery';
import type { TransportOptions } from './create-transport.ts';

/** What a `ServiceConfig` says of the calls to its service. */
export type ConfiguredOptions = Pick<
  TransportOptions,
  'target' | 'policy' | 'timeoutMs' | 'breaker' | 'probe'
>;

/**
 * The configuration of a service as options of `createTransport`, which may be followed by others that go before them:
 * `createTransport({ runtime, registry, ...configured(config), warmUp: true })`. The registry is
 * `openRegistry(config.discovery)`. A service of kind `ttl` reports by itself and is not asked from here.
 */
export function configured(config: ServiceConfig): ConfiguredOptions {
  const { service, balancing, callTimeoutMs, circuitBreaker, healthCheck } = config;
  const { checkIntervalMs: intervalMs, checkTimeoutMs: timeoutMs, checkRetries: fall } = config;
  return {
    target: `discovery:///${service}`,
    policy: balancing,
    timeoutMs: callTimeoutMs,
    ...(circuitBreaker && { breaker: {} }),
    ...(healthCheck.kind !== 'ttl' && { probe: { check: healthCheck, intervalMs, timeoutMs, fall } }),
  };
}
