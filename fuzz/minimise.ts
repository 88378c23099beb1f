// Delta debugging (Zeller and Hildebrandt): what is left of an input when all that does not matter is taken out.
import type { Target } from './target.ts';

const mostTries = 1500;

/** A smaller input for which `fails` still holds; the same one if there is none. Pieces first, then bytes. */
export async function minimise(
  input: Uint8Array,
  target: Target,
  fails: (input: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let tries = 0;
  const stillFails = async (candidate: Uint8Array): Promise<boolean> =>
    ++tries <= mostTries && (await fails(candidate));
  let smallest = input;
  for (const plan of [0, (input[0] ?? 0) & 0x07, (input[0] ?? 0) & 0xc7]) {
    const simpler = Buffer.concat([Buffer.of(plan), input.subarray(1)]);
    if (await stillFails(simpler)) {
      smallest = simpler;
      break;
    }
  }
  const plan = smallest.subarray(0, 1);
  const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat([plan, ...parts]);
  const pieces = await without(target.pieces(smallest.subarray(1)), (kept) => stillFails(joined(kept)));
  const bytes = Array.from(Buffer.concat(pieces), (byte) => Uint8Array.of(byte));
  return joined(await without(bytes, (kept) => stillFails(joined(kept))));
}

/** Leaves out runs of parts, long ones first, as long as `holds` does. */
async function without(
  parts: readonly Uint8Array[],
  holds: (kept: readonly Uint8Array[]) => Promise<boolean>,
): Promise<readonly Uint8Array[]> {
  let kept = parts;
  for (let size = kept.length; size >= 1; size = size >> 1) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await holds(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}
