import type { MetricRegistry } from './registry.ts';

/** What a process can say about itself at one moment. `@heddle/telemetry/node` reads it from Node. */
export interface ProcessReading {
  /** CPU time used since the process started, user and system, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Memory that the process may have: its control group's limit, or what the machine has. */
  readonly memoryLimitBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Share of the time since the last reading in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
  /** How late the event loop ran its timers since the last reading: mean and 99th percentile. */
  readonly eventLoopDelayMeanSeconds: number;
  readonly eventLoopDelayP99Seconds: number;
  /** Unix time of the start. */
  readonly startTimeSeconds: number;
}

/** Adds the process's own load to a registry, read afresh at each exposition. Of the process, not of the host. */
export function processMetrics(registry: MetricRegistry, read: () => ProcessReading): void {
  const cpu = registry
    .counter({ name: 'process_cpu_seconds_total', help: 'CPU time used by this process.' })
    .series();
  const gauges = readings.map(
    ([name, help, pick]) => [registry.gauge({ name, help }).series(), pick] as const,
  );
  registry.beforeExposition(() => {
    const reading = read();
    cpu.advanceTo(reading.cpuSeconds);
    for (const [gauge, pick] of gauges) gauge.set(pick(reading));
  });
}

const readings: readonly (readonly [
  name: string,
  help: string,
  pick: (reading: ProcessReading) => number,
])[] = [
  ['process_resident_memory_bytes', 'Memory of this process held in RAM.', (r) => r.residentBytes],
  ['process_memory_limit_bytes', 'Memory that this process may have.', (r) => r.memoryLimitBytes],
  ['process_start_time_seconds', 'Start of this process in Unix time.', (r) => r.startTimeSeconds],
  ['nodejs_heap_used_bytes', 'JavaScript heap in use.', (r) => r.heapUsedBytes],
  ['nodejs_heap_size_bytes', 'JavaScript heap reserved.', (r) => r.heapTotalBytes],
  [
    'nodejs_eventloop_utilization_ratio',
    'Busy share of the event loop, 0 to 1.',
    (r) => r.eventLoopUtilization,
  ],
  [
    'nodejs_eventloop_delay_mean_seconds',
    'Mean lateness of the event loop.',
    (r) => r.eventLoopDelayMeanSeconds,
  ],
  ['nodejs_eventloop_delay_p99_seconds', '99th percentile of it.', (r) => r.eventLoopDelayP99Seconds],
];
