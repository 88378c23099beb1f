import { kinds, type Shape } from '@heddle/mesh/resources';

/** The keys of an object with what each may hold, for an editor that completes them. */
export interface Term {
  readonly what: string;
  readonly keys?: Readonly<Record<string, Term>>;
}

const deepest = 9;

/** Every kind of resource with its versions and the keys of its `spec`. */
export const meshTerms: readonly {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: Term;
}[] = kinds
  .filter(({ group }) => group.endsWith('.istio.io') || group === 'gateway.networking.k8s.io')
  .map(({ kind, group, versions, shape }) => ({
    kind,
    apiVersion: `${group}/${versions[0] ?? 'v1'}`,
    spec: termOf(shape),
  }));

/** Lists and maps are passed through to what they hold: an editor is within one of them. */
function termOf(shape: Shape<unknown>, depth = 0): Term {
  const { fields } = shape.of ?? shape;
  if (fields === undefined || depth > deepest) return { what: shape.what };
  const keys = Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, termOf(field, depth + 1)] as const),
  );
  return { what: shape.what, keys };
}
