import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';

/** A document in a folder of alerts. */
export interface AlertDocument {
  readonly name: string;
  readonly text: string;
}

/** The documents of a folder: `*.yml` and `*.yaml`, by name. Throws `failed_precondition` / `NO_ALERT_FOLDER`. */
export function readAlertFolder(folder: string): readonly AlertDocument[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
    return names.toSorted().map((name) => {
      const file = path.join(folder, name);
      return { name: file, text: readFileSync(file, 'utf8') };
    });
  } catch (thrown) {
    const message = `the folder of alerts cannot be read: ${(thrown as Error).message}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_ALERT_FOLDER', message, sent: false });
  }
}

/** A secret from its file, without the line's end. Rejects with `failed_precondition` / `NO_SECRET`. */
export function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (thrown) {
    const message = `a secret cannot be read: ${(thrown as Error).message}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_SECRET', message, sent: false });
  }
}
