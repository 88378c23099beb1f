/**
 * The name of a value that travels with a call, typed, with what is read where nobody has set it.
 * Keys are compared by identity; `name` is for people and for the printed decision record.
 */
export interface CallKey<T> {
  readonly name: string;
  readonly fallback: T;
}

/** Makes a key. Do so once, at module level. */
export function callKey<T>(name: string, fallback: T): CallKey<T> {
  return { name, fallback };
}
