/** Chance and identity. */
export interface Random {
  /** Uniform in [0, 1). Fast, not for secrets. */
  float(): number;
  /** Uniform in [0, 2^32). Fast, not for secrets. */
  uint32(): number;
  /** A version 4 UUID, lower case. */
  uuid(): string;
  /** Unpredictable bytes, fit for keys and tokens (under a seed: predictable, for that is the point). */
  bytes(count: number): Uint8Array;
}
