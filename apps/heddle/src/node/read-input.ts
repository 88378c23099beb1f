import { usageError } from '../command.ts';

const longestBytes = 1024 * 1024;

/** All that stands on the input. A usage error beyond a megabyte. */
export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longestBytes) throw usageError(`expected at most ${longestBytes} bytes on the input`);
  }
  return Buffer.concat(chunks).toString();
}
