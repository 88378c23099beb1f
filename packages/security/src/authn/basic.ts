import { HeddleError } from '@heddle/kernel';
import { type Identity, unauthenticated } from '../identity.ts';
import { passwordHash, type PasswordHash } from './passwords.ts';

/** A user with a password. */
export interface StoredUser {
  readonly name: string;
  /** See `passwordHash`. */
  readonly hash: string;
  readonly roles: readonly string[];
}

interface KnownUser {
  readonly user: StoredUser;
  readonly hash: PasswordHash;
}

/** Hashes that are computed at a time: each takes megabytes and a core. */
const mostAtOnce = 4;
const mostWaiting = 64;

/** HTTP's Basic scheme (RFC 7617), in UTF-8. */
export class BasicUsers {
  readonly #users = new Map<string, KnownUser>();
  /** For names that nobody has: they cost what others cost. */
  readonly #nobody: PasswordHash | undefined;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Throws `BAD_PASSWORD_HASH`. */
  constructor(users: readonly StoredUser[]) {
    for (const user of users) this.#users.set(user.name, { user, hash: passwordHash(user.hash) });
    this.#nobody = this.#users.values().next().value?.hash;
  }

  /**
   * Whose credentials these are: what follows `Basic `. Rejects with `unauthenticated` / `BAD_CREDENTIALS`, the same for
   * unknown users and wrong passwords; with `resource_exhausted` / `TOO_MANY_PASSWORDS` when too many are tried at once.
   */
  async verify(credentials: string): Promise<Identity> {
    const given = parsed(credentials);
    if (given === undefined) throw refused();
    const known = this.#users.get(given.name);
    const hash = known?.hash ?? this.#nobody;
    const matches = hash !== undefined && (await this.#inTurn(() => hash.matches(given.password)));
    if (known === undefined || !matches) throw refused();
    const { name, roles } = known.user;
    return { subject: name, method: 'basic', issuer: '', roles, scopes: [], claims: {} };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) throw tooMany();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      // The place goes to the next, or is free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function parsed(credentials: string): { readonly name: string; readonly password: string } | undefined {
  if (
    credentials.length > 2048 ||
    !/^[A-Za-z0-9+/]+={0,2}$/.test(credentials) ||
    credentials.length % 4 !== 0
  )
    return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(credentials, 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refused(): HeddleError {
  return unauthenticated('BAD_CREDENTIALS', 'the user is unknown or the password wrong');
}

function tooMany(): HeddleError {
  const message = 'too many passwords are tried at once';
  return new HeddleError({ code: 'resource_exhausted', reason: 'TOO_MANY_PASSWORDS', message, sent: false });
}
