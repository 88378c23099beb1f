import type { Given } from '../../command.ts';

/** What was given of them, as the mesh takes it. */
export function scopeOf(given: Given): {
  readonly namespace?: string;
  readonly rootNamespace?: string;
  readonly trustDomain?: string;
} {
  const namespace = given.text('namespace');
  const rootNamespace = given.text('root-namespace');
  const trustDomain = given.text('trust-domain');
  return {
    ...(namespace !== undefined && { namespace }),
    ...(rootNamespace !== undefined && { rootNamespace }),
    ...(trustDomain !== undefined && { trustDomain }),
  };
}
