import type { Part, Runtime, Timer } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import type { HttpService } from '@heddle/wire';
import { session } from './session.ts';
import { ShopClient } from './shop-client.ts';
import { type LoadReport, Tally } from './tally.ts';

/** What the load is. */
export interface LoadOptions {
  readonly runtime: Runtime;
  /** The way to the shop: a client of the gateway. */
  readonly http: HttpService;
  /** Visitors that come per second, on average. */
  readonly rate: number;
  /** Decides when they come and what they do. */
  readonly seed: number;
  /** How long a visitor looks at a page, on average. Default 300. */
  readonly thinkMs?: number;
  /** Visitors at a time; more are skipped, and counted. Default 2000. */
  readonly maxSessions?: number;
}

/** Visitors who come whether the shop is fast or not. As a part: `drain` lets those who are there finish their page. */
export interface Load extends Part {
  drain(): Promise<void>;
  report(): LoadReport;
}

/** An open loop: a slow shop does not slow the arrivals down, which are a Poisson process. */
export function load(options: LoadOptions): Load {
  const { runtime, http, rate, seed, thinkMs = 300, maxSessions = 2000 } = options;
  const random = seededRandom(seed);
  const tally = new Tally();
  const client = new ShopClient(http, runtime, tally);
  const running = new Set<Promise<void>>();
  let startedMs = 0;
  let timer: Timer | undefined;
  let closing = false;

  const arrive = (): void => {
    // Drawn for every arrival, also for one that is skipped: the same seed brings the same visitors.
    const own = seededRandom(random.uint32());
    if (tally.running >= maxSessions) return tally.sessionSkipped();
    tally.sessionStarted();
    const visit = session({ client, runtime, random: own, tally, thinkMs, closing: () => closing }).finally(
      () => {
        tally.sessionFinished();
        running.delete(visit);
      },
    );
    running.add(visit);
  };

  let dueMs = 0;
  const next = (): void => {
    if (closing) return;
    const nowMs = runtime.clock.nowMs();
    // Those who were due while the process was busy come now: the rate is kept.
    for (; dueMs <= nowMs; dueMs += (-Math.log(1 - random.float()) / rate) * 1000) arrive();
    timer = runtime.timers.after(Math.max(1, dueMs - nowMs), next);
  };

  const drain = async (): Promise<void> => {
    closing = true;
    timer?.cancel();
    await Promise.all(running);
  };
  return {
    name: 'load',
    start: () => {
      startedMs = runtime.clock.nowMs();
      dueMs = startedMs;
      next();
      return Promise.resolve();
    },
    drain,
    stop: () => {
      closing = true;
      timer?.cancel();
      return Promise.resolve();
    },
    report: () => tally.report(runtime.clock.nowMs() - startedMs),
  };
}
