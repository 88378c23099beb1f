import { readFileSync } from 'node:fs';
import { HeddleError } from '@heddle/kernel';

/** The ids under which the server's processes run. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom to run PostgreSQL as: undefined for ourselves. PostgreSQL refuses to run as root, so root runs it as `nobody`,
 * the one unprivileged account that every Unix has (initdb wants a uid with an entry in /etc/passwd).
 */
export function serverAccount(): Account | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const found = parsePasswd(readFileSync('/etc/passwd', 'utf8'), 'nobody');
  if (found !== undefined) return found;
  throw new HeddleError({
    code: 'failed_precondition',
    reason: 'NO_UNPRIVILEGED_ACCOUNT',
    message:
      'PostgreSQL does not run as root, and /etc/passwd has no account "nobody" to run it as; ' +
      'start Heddle as an ordinary user, or give it the URL of a PostgreSQL that runs already',
    sent: false,
  });
}

/** The ids of `name` in the text of a passwd(5) file. */
export function parsePasswd(text: string, name: string): Account | undefined {
  for (const line of text.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user !== name) continue;
    const account = { uid: Number(uid), gid: Number(gid) };
    // macOS writes nobody's ids as -2, which the system calls take as the unsigned 32-bit number.
    return { uid: account.uid >>> 0, gid: account.gid >>> 0 };
  }
  return undefined;
}
