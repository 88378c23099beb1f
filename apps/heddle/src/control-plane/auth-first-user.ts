import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Users } from './auth-users.ts';

/** The user that is there before anybody could make one. */
export const firstUser = 'admin';

/**
 * Sees to it that somebody can sign in. A password that was set is the first user's from now on, which is also how it is
 * replaced when it was lost; without one, and without any user, one is made up and given back: to be shown once.
 */
export async function firstPassword(
  users: Users,
  runtime: Runtime,
  set: string | undefined,
): Promise<string | undefined> {
  if (set !== undefined && set !== '') {
    if (users.get(firstUser) === undefined) await users.add(firstUser, 'admin', set);
    else if ((await users.check(firstUser, set)) === undefined) await users.setPassword(firstUser, set);
    return undefined;
  }
  if (users.all.length > 0) return undefined;
  const made = Buffer.from(runtime.random.bytes(15)).toString('base64url');
  await users.add(firstUser, 'admin', made);
  return made;
}

/** The password that the operator has set, by value or in a file. Throws `PASSWORD_SET_TWICE`. */
export function passwordSet(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): string | undefined {
  const { HEDDLE_CONSOLE_PASSWORD: value, HEDDLE_CONSOLE_PASSWORD_FILE: path } = env;
  if (value !== undefined && path !== undefined) {
    const message =
      'HEDDLE_CONSOLE_PASSWORD and HEDDLE_CONSOLE_PASSWORD_FILE are both set; expected one of them';
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'PASSWORD_SET_TWICE',
      message,
      sent: false,
    });
  }
  return path === undefined ? value : readFile(path).trimEnd();
}
