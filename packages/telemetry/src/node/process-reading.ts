import { totalmem } from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ProcessReading } from '../metrics/process-metrics.ts';

const samplingMs = 20;

/**
 * A reader of this process for `processMetrics`. Event-loop figures cover the time since the reader was last called.
 * Costs one timer every 20 ms that does not keep the process alive.
 */
export function processReader(): () => ProcessReading {
  const delay = monitorEventLoopDelay({ resolution: samplingMs });
  delay.enable();
  let last = performance.eventLoopUtilization();
  const memoryLimitBytes = memoryLimit();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const reading: ProcessReading = {
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      residentBytes: memory.rss,
      memoryLimitBytes,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      eventLoopUtilization: utilization,
      eventLoopDelayMeanSeconds: lateSeconds(delay.mean),
      eventLoopDelayP99Seconds: lateSeconds(delay.percentile(99)),
      startTimeSeconds: performance.timeOrigin / 1000,
    };
    delay.reset();
    return reading;
  };
}

/** A group without a limit names a number beyond all memory. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const all = totalmem();
  return constrained > 0 && constrained < all ? constrained : all;
}

/** The monitor records the time between its ticks: what exceeds its own interval is lateness. NaN before the first. */
function lateSeconds(nanoseconds: number): number {
  return Number.isNaN(nanoseconds) ? 0 : Math.max(0, nanoseconds / 1e9 - samplingMs / 1000);
}
