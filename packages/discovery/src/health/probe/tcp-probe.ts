import type { Runtime } from '@heddle/kernel';
import { passing, type Probe } from './probe.ts';

/** Passes if something accepts a connection. */
export function tcpProbe(runtime: Runtime): Probe {
  return async (address, call) => {
    const timeoutMs = Math.max(1, call.remainingMs());
    const connection = await runtime.net.connect(
      address,
      Number.isFinite(timeoutMs) ? { timeoutMs } : undefined,
    );
    connection.open({ data: nothing, end: nothing, drain: nothing, close: nothing });
    connection.destroy();
    return passing('it accepts connections');
  };
}

function nothing(): void {}
