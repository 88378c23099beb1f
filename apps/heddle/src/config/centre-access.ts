import { openConfigStore, RemoteStore } from '@heddle/config';
import type { Runtime } from '@heddle/kernel';
import { type Given, usageError } from '../command.ts';
import { readUpState } from '../node/data-folder.ts';

/** Where the config centre is that a command works on, and what opens it: HEDDLE_CONFIG, or the running `up`'s. */
export function centreUrl(given: Given): { readonly url: string; readonly secret: string | undefined } {
  const named = process.env['HEDDLE_CONFIG'];
  if (named !== undefined) return { url: named, secret: process.env['HEDDLE_CONFIG_TOKEN'] };
  const { console, adminToken } = readUpState(given.text('data') ?? '.heddle');
  return { url: `heddle://${new URL(console).host}`, secret: adminToken };
}

/** A config centre in another process, whose schemas see what is changed. */
export async function centreOf(
  given: Given,
  runtime: Runtime,
): Promise<{ readonly store: RemoteStore; readonly close: () => Promise<void> }> {
  const { url, secret } = centreUrl(given);
  const store = await openConfigStore(url, {
    runtime,
    secret,
    readText: () =>
      Promise.reject(usageError('HEDDLE_CONFIG refers to a file, which a control plane does not need')),
    variable: (name) => process.env[name],
  });
  if (store instanceof RemoteStore) return { store, close: () => store.close() };
  await store.close();
  throw usageError('keys are managed through a control plane: HEDDLE_CONFIG must be heddle://host:port');
}
