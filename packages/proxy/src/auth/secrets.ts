import { HeddleError } from '@heddle/kernel';

/** Gives a secret by its name; undefined if there is none. */
export type Secrets = (name: string) => string | undefined;

/** A secret that must be there: throws `failed_precondition` / `MISSING_SECRET` with its name and what it is for. */
export function needed(secrets: Secrets, name: string, why: string): string {
  const secret = secrets(name);
  if (secret !== undefined && secret !== '') return secret;
  const message = `the secret ${name} is not set: ${why}, and it has no default`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SECRET', message, sent: false });
}
