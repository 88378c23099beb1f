import { type Call, HeddleError, type Layer, priority } from '@heddle/kernel';
import { checkOptions, delayMs, durationMs, present } from '../options/check-options.ts';
import type { DelayMonitor } from './loop-delay.ts';
import { decideShed, defaultShedRules, type ShedReason, type ShedRules } from './shed-decision.ts';

/** What `shed` needs to know; the defaults are `defaultShedRules`. */
export interface ShedOptions extends Partial<ShedRules> {
  readonly monitor: DelayMonitor;
  /** Hears of each call that is shed. Must not throw. */
  readonly onShed?: (call: Call, reason: Exclude<ShedReason, undefined>) => void;
}

/**
 * Refuses calls when this process is late with its work, least important first, and those that could not be done by
 * their deadline: what is served is then served in time. Stands on the server's side right below the deadline, before
 * any work is done: a refusal is `resource_exhausted` / `OVERLOADED`, `sent: false`, and costs next to nothing.
 */
export function shed<Req, Res>(options: ShedOptions): Layer<Req, Res> {
  checkOptions('shed', options, { monitor: present, onShed: present, calmMs: delayMs, fullMs: durationMs });
  const rules: ShedRules = { ...defaultShedRules, ...options };
  if (rules.fullMs <= rules.calmMs) throw badOrder(rules);
  const { monitor, onShed } = options;
  // How long calls take once they are begun: a moving average over all that were served.
  let usualMs = 0;
  return (next) => async (req, call) => {
    const { clock, random } = call.runtime;
    const lateMs = monitor.delayMs;
    if (lateMs > 0) {
      const remainingMs = call.remainingMs();
      const situation = { delayMs: lateMs, priority: call.get(priority), remainingMs, usualMs };
      const reason = decideShed({ ...situation, chance: random.float() }, rules);
      if (reason !== undefined) {
        onShed?.(call, reason);
        throw refused(reason, lateMs);
      }
    }
    const startMs = clock.nowMs();
    const value = await next(req, call);
    // What the answer took beyond the delay that it found is its own time.
    const tookMs = Math.max(0, clock.nowMs() - startMs - lateMs);
    usualMs += (tookMs - usualMs) * 0.05;
    return value;
  };
}

function refused(reason: Exclude<ShedReason, undefined>, lateMs: number): HeddleError {
  const late = `this process is ${Math.round(lateMs)} ms late with its work`;
  const message = reason === 'too_late' ? `${late}: the call could not be done by its deadline` : late;
  return new HeddleError({ code: 'resource_exhausted', reason: 'OVERLOADED', message, sent: false });
}

function badOrder({ calmMs, fullMs }: ShedRules): HeddleError {
  const message = `shed: fullMs: expected more than calmMs (${calmMs}), found ${fullMs}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_OPTIONS', message, sent: false });
}
