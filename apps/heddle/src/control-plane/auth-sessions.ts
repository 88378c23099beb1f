import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '@heddle/kernel';
import type { Role } from './auth-users.ts';

/** Somebody who has signed in with a browser. */
export interface Session {
  readonly user: string;
  /** What the OpenID provider said; a local user's role is looked up at each request. */
  readonly role: Role;
  readonly kind: 'local' | 'oidc';
  /** What a page must show with each change. Another site cannot read it. */
  readonly csrf: string;
  readonly startedMs: number;
  seenMs: number;
}

const idleMs = 2 * 3_600_000;
const longestMs = 12 * 3_600_000;
const most = 1000;

/**
 * Who is signed in, in memory: a restart signs everybody out. Only digests of the tokens are kept, so what is read out of
 * this process is not good for signing in. A token is always made here, after the proof: one that was planted in a
 * browser before is nobody's.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #byDigest = new Map<string, Session>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A new session, and its token for the cookie. */
  begin(
    user: string,
    role: Role,
    kind: Session['kind'],
  ): { readonly token: string; readonly session: Session } {
    const nowMs = this.#clock.wallMs();
    this.#expire(nowMs);
    const token = this.#secret();
    const session = { user, role, kind, csrf: this.#secret(), startedMs: nowMs, seenMs: nowMs };
    this.#byDigest.set(digest(token), session);
    return { token, session };
  }

  /** Whose token it is; undefined for nobody's and for one that is over: 2 hours after it was last used, 12 after it began. */
  find(token: string): Session | undefined {
    const key = digest(token);
    const session = this.#byDigest.get(key);
    if (session === undefined) return undefined;
    const nowMs = this.#clock.wallMs();
    if (isOver(session, nowMs)) {
      this.#byDigest.delete(key);
      return undefined;
    }
    session.seenMs = nowMs;
    return session;
  }

  end(token: string): void {
    this.#byDigest.delete(digest(token));
  }

  /** Ends all sessions of a user, but for the one of `except`. */
  endOf(user: string, except?: Session): void {
    for (const [key, session] of this.#byDigest)
      if (session.user === user && session !== except) this.#byDigest.delete(key);
  }

  #expire(nowMs: number): void {
    for (const [key, session] of this.#byDigest) if (isOver(session, nowMs)) this.#byDigest.delete(key);
    // The one that was not used for the longest time makes room.
    if (this.#byDigest.size < most) return;
    const [oldest] = [...this.#byDigest].toSorted(([, a], [, b]) => a.seenMs - b.seenMs);
    if (oldest !== undefined) this.#byDigest.delete(oldest[0]);
  }

  #secret(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url');
  }
}

/** Whether a page has shown the session's CSRF token. */
export function showsCsrf({ csrf }: Session, shown: string | undefined): boolean {
  const [a, b] = [csrf, shown ?? ''].map((text) => createHash('sha256').update(text).digest()) as [
    Buffer,
    Buffer,
  ];
  return timingSafeEqual(a, b);
}

function isOver({ startedMs, seenMs }: Session, nowMs: number): boolean {
  return nowMs - startedMs >= longestMs || nowMs - seenMs >= idleMs;
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
