// Changes of inputs: of their bytes, and of the pieces they are made of.
import type { Chance } from './chance.ts';
import type { Target } from './target.ts';

const interesting = [0, 1, 0x09, 0x0a, 0x0d, 0x20, 0x30, 0x3a, 0x7f, 0x80, 0xbe, 0xfe, 0xff] as const;
const longestInput = 6000;

type Change = (bytes: Uint8Array, chance: Chance, target: Target, other: Uint8Array) => Uint8Array;

const ofBytes: readonly Change[] = [
  (bytes, chance) => replaced(bytes, chance.below(bytes.length), 1, Uint8Array.of(chance.pick(interesting))),
  (bytes, chance) => replaced(bytes, chance.below(bytes.length), 1, chance.bytes(1)),
  (bytes, chance) => {
    const at = chance.below(bytes.length);
    return replaced(bytes, at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << chance.below(8))));
  },
  (bytes, chance) => replaced(bytes, chance.below(bytes.length + 1), 0, chance.bytes(1 + chance.below(4))),
  (bytes, chance) => replaced(bytes, chance.below(bytes.length), 1 + chance.below(8), new Uint8Array(0)),
  (bytes, chance) => replaced(bytes, chance.below(bytes.length), bytes.length, new Uint8Array(0)),
  (bytes, chance, { dictionary }) =>
    replaced(bytes, chance.below(bytes.length + 1), chance.below(3), chance.pick(dictionary)),
];

const ofPieces: readonly Change[] = [
  (bytes, chance, target) => {
    const pieces = target.pieces(bytes);
    pieces.splice(chance.below(pieces.length), 1);
    return Buffer.concat(pieces);
  },
  (bytes, chance, target) => {
    const pieces = target.pieces(bytes);
    const doubled = chance.pick(pieces) ?? new Uint8Array(0);
    const times = chance.oneIn(10) ? chance.below(300) : 1;
    pieces.splice(chance.below(pieces.length + 1), 0, ...Array.from({ length: times }, () => doubled));
    return Buffer.concat(pieces);
  },
  (bytes, chance, target) => {
    const pieces = target.pieces(bytes);
    const from = chance.below(pieces.length);
    const to = chance.below(pieces.length);
    const [moved] = pieces.splice(from, 1);
    if (moved !== undefined) pieces.splice(to, 0, moved);
    return Buffer.concat(pieces);
  },
  (bytes, chance, target, other) => {
    const pieces = target.pieces(bytes);
    pieces.splice(chance.below(pieces.length + 1), 0, ...target.pieces(other).slice(chance.below(3)));
    return Buffer.concat(pieces);
  },
];

/** One to four changes of an input, its plan included at times. `other` is another one to take pieces from. */
export function mutate(input: Uint8Array, chance: Chance, target: Target, other: Uint8Array): Uint8Array {
  const plan = chance.oneIn(4) ? chance.below(256) : (input[0] ?? 0);
  let bytes = input.subarray(1);
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const change = chance.pick(bytes.length === 0 || chance.oneIn(2) ? ofPieces : ofBytes);
    bytes = change(bytes, chance, target, other.subarray(1));
  }
  return Buffer.concat([Buffer.of(plan), bytes.subarray(0, longestInput)]);
}

function replaced(bytes: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + count)]);
}
