import type { ConfigValue } from '../version/values.ts';

/** Where a value comes from. */
export interface Origin {
  /** The lowest first: a later layer wins over those before it. */
  readonly layer: 'default' | 'file' | 'environment' | 'centre';
  /** The file, the variable, or the place. */
  readonly where: string;
  /** Of the place. */
  readonly version?: number;
  /** From the gray values of the place. */
  readonly gray?: true;
}

/** A value that belongs to one key, and its origin. */
export interface Leaf {
  readonly value: ConfigValue;
  readonly origin: Origin;
}

/** Leaves by key. */
export type Leaves = ReadonlyMap<string, Leaf>;

/** The leaves of nested values: objects are gone into, but for references and secrets; arrays are values. */
export function leavesOf(
  value: { readonly [key: string]: ConfigValue },
  origin: (key: string) => Origin,
  within = '',
): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  for (const [name, inner] of Object.entries(value)) {
    const key = within === '' ? name : `${within}.${name}`;
    if (!isBranch(inner)) leaves.set(key, { value: inner, origin: origin(key) });
    else for (const [deeper, leaf] of leavesOf(inner, origin, key)) leaves.set(deeper, leaf);
  }
  return leaves;
}

function isBranch(value: ConfigValue): value is { readonly [key: string]: ConfigValue } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !Object.keys(value).some((name) => name.startsWith('$'));
}

/** Lays one over another. A value hides what a lower layer has inside it, or around it. */
export function merged(layers: readonly Leaves[]): Leaves {
  const all = new Map<string, Leaf>();
  for (const layer of layers)
    for (const [key, leaf] of layer) {
      for (const other of all.keys())
        if (other.startsWith(`${key}.`) || key.startsWith(`${other}.`)) all.delete(other);
      all.set(key, leaf);
    }
  return all;
}

/** Builds nested objects from leaves. */
export function nested(leaves: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of leaves) {
    const parts = key.split('.');
    const last = parts.pop() as string;
    let at = root;
    for (const part of parts) at = (at[part] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return root;
}
