import type { Runtime, Timer } from '@heddle/kernel';
import type { Health } from '../registry/instance.ts';
import {
  type CheckResult,
  defaultHealthRules,
  type HealthState,
  step,
  unknownHealth,
} from './health-state.ts';
import { critical } from './probe/probe.ts';
import type { HealthListener, RunningCheck } from './running-check.ts';

/** How a TTL check is made. */
export interface TtlCheckOptions {
  readonly runtime: Runtime;
  /** How long a report holds. */
  readonly ttlMs: number;
  readonly onChange?: HealthListener;
}

/** A check that is told, and does not ask. */
export interface TtlCheck extends RunningCheck {
  /** How it is; that holds for `ttlMs` from now. */
  report(health: CheckResult['health'], why?: string): void;
}

/** Starts one: `unknown` until the first report, and `critical` whenever a report is older than its time. */
export function startTtlCheck({ runtime, ttlMs, onChange }: TtlCheckOptions): TtlCheck {
  let state: HealthState = unknownHealth(runtime.clock.nowMs());
  let lapse: Timer | undefined;
  let stopped = false;
  const apply = (result: CheckResult): void => {
    const next = step(state, { kind: 'reported', result }, runtime.clock.nowMs(), defaultHealthRules);
    state = next.state;
    for (const effect of next.effects) if (effect.kind === 'changed') onChange?.(effect.to, effect.why);
  };
  const restart = (): void => {
    lapse?.cancel();
    lapse = runtime.timers.after(ttlMs, () => apply(critical(`nothing was reported for ${ttlMs} ms`)));
  };
  restart();
  return {
    get health(): Health {
      return state.health;
    },
    get why(): string {
      return state.why;
    },
    report: (health, why = 'reported') => {
      if (stopped) return;
      apply({ health, why });
      restart();
    },
    stop: () => {
      stopped = true;
      lapse?.cancel();
    },
  };
}
