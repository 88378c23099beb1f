import { type ConfigValue, sameValue, type Values } from './values.ts';

/** What became of one key. Without `before` it is new, without `after` it is gone. */
export interface Difference {
  readonly key: string;
  readonly before?: ConfigValue;
  readonly after?: ConfigValue;
}

/** What differs between two states of a place, by key in the order of the alphabet. */
export function differences(before: Values, after: Values): readonly Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return keys
    .filter((key) => !sameValue(before[key], after[key]) || key in before !== key in after)
    .map((key) => {
      const [old, now] = [before[key], after[key]];
      return { key, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) };
    });
}
