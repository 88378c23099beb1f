import { create, toBinary } from '@bufbuild/protobuf';
import type { Runtime } from '@heddle/kernel';
import type { ProcessReading } from '@heddle/telemetry';
import { encodeBinary } from '@heddle/wire';
import { type OrcaLoadReport, OrcaLoadReportSchema } from '../gen/xds/data/orca/v3/orca_load_report_pb.ts';

/** What `LoadReporter` is made from. */
export interface LoadReporterOptions {
  readonly runtime: Runtime;
  /** Reads this process: `processReader()` of `@heddle/telemetry/node`, one of its own for each reporter. */
  readonly read: () => ProcessReading;
  /** How old a reading may get before another is made. Default 100 ms. */
  readonly everyMs?: number;
  /** The application's own measures, by name, asked with every reading. Default: none. */
  readonly namedMetrics?: () => Readonly<Record<string, number>>;
}

/** The trailer in which a server's load travels with each answer (gRFC A51). */
export const loadTrailer = 'endpoint-load-metrics-bin';

/**
 * What this server says of its load, in ORCA's terms (cncf/xds `orca_load_report.proto`): the share of one CPU, calls and
 * errors a second, and as application utilization that of Node's event loop, which is what is scarce in a Node process.
 * Costs a reading per `everyMs` while it is asked, whatever the number of calls.
 */
export class LoadReporter {
  readonly #runtime: Runtime;
  readonly #read: () => ProcessReading;
  readonly #everyMs: number;
  readonly #named: () => Readonly<Record<string, number>>;
  #readAtMs: number;
  #cpuSeconds: number;
  #calls = 0;
  #errors = 0;
  #report: OrcaLoadReport = create(OrcaLoadReportSchema);
  #text = '';

  constructor(options: LoadReporterOptions) {
    this.#runtime = options.runtime;
    this.#read = options.read;
    this.#everyMs = options.everyMs ?? 100;
    this.#named = options.namedMetrics ?? (() => ({}));
    this.#readAtMs = options.runtime.clock.nowMs();
    this.#cpuSeconds = options.read().cpuSeconds;
  }

  /** Counts a call that has ended. */
  count(failed: boolean): void {
    this.#calls++;
    if (failed) this.#errors++;
  }

  /** The newest report. */
  get report(): OrcaLoadReport {
    this.#renew();
    return this.#report;
  }

  /** The same as the value of `loadTrailer`. */
  get text(): string {
    this.#renew();
    return this.#text;
  }

  #renew(): void {
    const nowMs = this.#runtime.clock.nowMs();
    const seconds = (nowMs - this.#readAtMs) / 1000;
    if (seconds * 1000 < this.#everyMs && this.#text !== '') return;
    const reading = this.#read();
    const spent = seconds > 0 ? seconds : 1;
    this.#report = create(OrcaLoadReportSchema, {
      cpuUtilization: Math.max(0, reading.cpuSeconds - this.#cpuSeconds) / spent,
      rpsFractional: this.#calls / spent,
      eps: this.#errors / spent,
      applicationUtilization: reading.eventLoopUtilization,
      utilization: { event_loop: Math.min(1, reading.eventLoopUtilization) },
      namedMetrics: { ...this.#named(), event_loop_delay_p99_seconds: reading.eventLoopDelayP99Seconds },
    });
    this.#text = encodeBinary(toBinary(OrcaLoadReportSchema, this.#report));
    this.#readAtMs = nowMs;
    this.#cpuSeconds = reading.cpuSeconds;
    this.#calls = 0;
    this.#errors = 0;
  }
}
