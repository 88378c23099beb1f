import type { Chance } from './chance.ts';

/** What can be fuzzed, as `--target` names it. */
export const targetNames = ['h1', 'h2', 'hpack', 'grpc', 'responses', 'h2-responses'] as const;

/** One of them. */
export type TargetName = (typeof targetNames)[number];

/** Something that is broken, as opposed to an input that is refused. Thrown by `Target.run`. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/**
 * A part of the wire engine under arbitrary bytes. The first byte of every input is its *plan*: how the bytes are cut,
 * what the other side does with them, how the connection ends; see `plan.ts`.
 */
export interface Target {
  readonly name: TargetName;
  /** What a corpus starts with. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something here: put in by mutation. */
  readonly dictionary: readonly Uint8Array[];
  /** A new input from a grammar with bad habits. */
  generate(chance: Chance): Uint8Array;
  /** Where an input falls apart: pieces that can be left out, doubled or swapped. Joined they are the input. */
  pieces(input: Uint8Array): Uint8Array[];
  /**
   * Does it, and gives a signature: states and errors that were reached, without what varies freely. An input with a
   * new signature is worth keeping. Throws `Finding` when something is broken. Deterministic.
   */
  run(input: Uint8Array): Promise<string>;
}

/** Throws a `Finding` unless it holds. */
export function expect(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Finding(what());
}
