import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import type { Resolver } from './endpoint-snapshot.ts';
import { RegistryResolver } from './registry-resolver.ts';
import { staticResolver } from './static-resolver.ts';
import { parseTarget, type Target } from './target.ts';

/** What a resolver works with. */
export interface ResolverOptions {
  readonly runtime: Runtime;
  /** For `discovery:` targets; others need none. */
  readonly registry?: Registry;
}

/**
 * Starts to watch what `target` names, until `close`. A string is parsed by `parseTarget` and throws as that does.
 * Throws `failed_precondition` / `NO_REGISTRY` for a `discovery:` target without a registry.
 */
export function resolver(target: string | Target, options: ResolverOptions): Resolver {
  const parsed = typeof target === 'string' ? parseTarget(target) : target;
  if (parsed.kind === 'static') return staticResolver(parsed, options.runtime);
  if (options.registry !== undefined) return new RegistryResolver(parsed, options.registry, options.runtime);
  const message = `target "${parsed.text}" needs a registry to look in, and none was given to the resolver`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_REGISTRY', message, sent: false });
}
