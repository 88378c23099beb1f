import { createHash } from 'node:crypto';
import type { Clock } from '@heddle/kernel';
import { BoundedCache } from '../authn/bounded-cache.ts';
import type { LoginSession } from './login-session.ts';

const rememberedMs = 60_000;
const mostRemembered = 10_000;

interface Refresh {
  readonly made: Promise<LoginSession>;
  readonly untilMs: number;
}

/**
 * One refresh for all that come with one session at a time. A provider takes a refresh token once: a page that asks for
 * ten things with an old cookie must not use it ten times, nor those that were on their way a moment later.
 */
export class Refreshes {
  readonly #clock: Clock;
  readonly #running = new BoundedCache<Refresh>(mostRemembered, Number.POSITIVE_INFINITY);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `refresh` makes of the session, now or a moment ago. Failures are not remembered. */
  refreshed(
    session: LoginSession,
    refresh: (session: LoginSession) => Promise<LoginSession>,
  ): Promise<LoginSession> {
    const key = createHash('sha256')
      .update(session.refreshToken ?? '')
      .digest('base64url');
    const nowMs = this.#clock.nowMs();
    const known = this.#running.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.made;
    const made = refresh(session);
    this.#running.set(key, { made, untilMs: nowMs + rememberedMs });
    made.catch(() => this.#running.delete(key));
    return made;
  }
}
