import { HeddleError, type Runtime } from '@heddle/kernel';
import type { HealthView } from '../health/health-view.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resolver } from './endpoint-snapshot.ts';
import { RegistryResolver } from './registry-resolver.ts';
import { staticResolver } from './static-resolver.ts';
import { checkSubsetting, type Subsetting } from './subsetting.ts';
import { parseTarget, type Target } from './target.ts';

/** What a resolver works with. All but `runtime` is for `discovery:` targets. */
export interface ResolverOptions {
  readonly runtime: Runtime;
  /** `discovery:` targets need one. */
  readonly registry?: Registry;
  /** Connects to some of the instances only. Default: to all. */
  readonly subsetting?: Subsetting;
  /**
   * Instances whose health is `critical` are left out; but when fewer than this share of those that take calls are
   * not, something is wrong with the checks or everywhere, and all are used: the snapshot then has `panic` set.
   * 0 to 1; 0: never. Default 0.5. (Envoy's panic threshold.)
   */
  readonly panicShare?: number;
  /** Health that is known here, as from checks of one's own (see `healthChecks`): it counts for more than the registry's. */
  readonly health?: HealthView;
  /** Hears of the beginning and the end of a panic, for a counter or a gauge. Must not throw. */
  readonly onPanic?: (panic: boolean) => void;
}

/**
 * Starts to watch what `target` names, until `close`. A string is parsed by `parseTarget` and throws as that does.
 * Throws `failed_precondition` / `NO_REGISTRY` for a `discovery:` target without a registry,
 * `invalid_argument` / `BAD_SUBSETTING` or `BAD_PANIC_SHARE`.
 */
export function resolver(target: string | Target, options: ResolverOptions): Resolver {
  const parsed = typeof target === 'string' ? parseTarget(target) : target;
  if (parsed.kind === 'static') return staticResolver(parsed, options.runtime);
  const { registry, panicShare = 0.5, subsetting } = options;
  if (!(panicShare >= 0 && panicShare <= 1)) throw badPanicShare(panicShare);
  if (subsetting !== undefined) checkSubsetting(subsetting);
  if (registry !== undefined) return new RegistryResolver(parsed, registry, { ...options, panicShare });
  const message = `target "${parsed.text}" needs a registry to look in, and none was given to the resolver`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_REGISTRY', message, sent: false });
}

function badPanicShare(found: number): HeddleError {
  const message = `panicShare: expected a number from 0 to 1, found ${found}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PANIC_SHARE', message, sent: false });
}
