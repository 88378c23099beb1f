import type { CommandOption, Given } from '../../command.ts';

/** Options of the commands that read resources of a mesh. */
export const scopeOptions: Readonly<Record<string, CommandOption>> = {
  namespace: { type: 'string', value: 'NAME', help: 'Of objects that name none; default "default"' },
  'root-namespace': {
    type: 'string',
    value: 'NAME',
    help: 'Whose policies are for all; default "istio-system"',
  },
  'trust-domain': { type: 'string', value: 'NAME', help: 'Of the identities; default "cluster.local"' },
};

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
