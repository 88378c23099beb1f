import { HeddleError } from '@heddle/kernel';

const newline = 0x0a;

/**
 * The lines of a stream of bytes, without their newline, however it was cut into chunks. A last line without one is
 * not whole and is dropped. Throws `resource_exhausted` / `LINE_TOO_LONG` beyond `longestBytes`.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  longestBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      yield join(parts, chunk.subarray(start, end));
      parts = [];
      partBytes = 0;
      start = end + 1;
    }
    if (start === chunk.byteLength) continue;
    parts.push(chunk.subarray(start));
    partBytes += chunk.byteLength - start;
    if (partBytes > longestBytes) throw lineTooLong(longestBytes);
  }
}

function join(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  if (parts.length === 0) return last;
  const all = [...parts, last];
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function lineTooLong(limit: number): HeddleError {
  const message = `expected lines of at most ${limit} bytes, found a longer one`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'LINE_TOO_LONG', message });
}
