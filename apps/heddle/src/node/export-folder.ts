import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';

/** Writes a file into a folder, which is made if it is missing. Gives its path. Throws `failed_precondition` / `NOT_WRITTEN`. */
export function writeExport(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
    return file;
  } catch (thrown) {
    const message = `${file} cannot be written: ${(thrown as Error).message}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_WRITTEN', message, sent: false });
  }
}
