import { type Call, type Code, HeddleError, type Layer, sleep } from '@heddle/kernel';

/** Faults to inject. Each is met by its own share of the calls, 0 to 100 percent, drawn independently. */
export interface Faults {
  /** Goes on after this long. */
  readonly delay?: { readonly percent: number; readonly ms: number };
  /** Fails with this code, without reaching what is below. */
  readonly error?: { readonly percent: number; readonly code: Code };
  /** Never answers: waits until the caller gives up. */
  readonly hang?: { readonly percent: number };
}

/** Where faults are switched on and off while calls go on. One switch may serve many layers. */
export class FaultSwitch {
  #faults: Faults = {};

  /** What is injected now; nothing at first. */
  get faults(): Faults {
    return this.#faults;
  }

  /** Replaces all faults; `{}` injects none. Calls that hang already stay so until they are given up. */
  set(faults: Faults): void {
    for (const [name, fault] of Object.entries(faults) as [string, { percent: number }][]) {
      if (fault.percent >= 0 && fault.percent <= 100) continue;
      const message = `the percent of the fault ${name} must be from 0 to 100, not ${fault.percent}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'FAULT_PERCENT', message, sent: false });
    }
    this.#faults = faults;
  }
}

/**
 * Injects what the switch says, first the delay, then hang or error. An injected error counts as sent: to the layers
 * above it must look like a real one.
 */
export function fault<Req, Res>(faultSwitch: FaultSwitch): Layer<Req, Res> {
  return (next) => async (req, call) => {
    const { delay, error, hang } = faultSwitch.faults;
    if (delay !== undefined && meets(call, delay.percent)) await sleep(call.runtime.timers, delay.ms, call);
    if (hang !== undefined && meets(call, hang.percent)) await untilCancelled(call);
    if (error !== undefined && meets(call, error.percent)) throw injected(error.code);
    return next(req, call);
  };
}

function meets(call: Call, percent: number): boolean {
  return call.runtime.random.float() * 100 < percent;
}

function untilCancelled(call: Call): Promise<never> {
  return new Promise((_, reject) => {
    call.onCancel(reject);
  });
}

function injected(code: Code): HeddleError {
  const message = `an injected fault: ${code}. Switch it off where it was switched on`;
  return new HeddleError({ code, reason: 'INJECTED_FAULT', message });
}
