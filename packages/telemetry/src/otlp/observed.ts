import type { Address, Part, Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { OtlpExporter } from './otlp-exporter.ts';
import type { Attributes } from './signal.ts';

/** Where a process sends its telemetry, and how much of it. */
export interface TelemetrySettings {
  /** Undefined: it sends none. */
  readonly address: Address | undefined;
  readonly sampleRatio: number;
  /** How to speak TLS with it; undefined: plaintext. */
  readonly tls?: EndpointTls | undefined;
}

/**
 * Reads `HEDDLE_TELEMETRY` (`off`, or `host:port` where OTLP is spoken over HTTP; default `fallback`) and
 * `HEDDLE_TRACE_RATIO` (0 to 1, default 0.1) from an environment. `problem` is told of each that is wrong.
 */
export function telemetrySettings(
  environment: Readonly<Record<string, string | undefined>>,
  fallback: Address | undefined,
  problem: (message: string) => void,
): TelemetrySettings {
  const ratio = environment['HEDDLE_TRACE_RATIO'] || '0.1';
  const sampleRatio = Number(ratio);
  if (!/^\d*\.?\d+$/.test(ratio) || sampleRatio > 1)
    problem(`HEDDLE_TRACE_RATIO must be a number from 0 to 1, as in 0.1.`);
  const place = environment['HEDDLE_TELEMETRY'] || undefined;
  if (place === 'off') return { address: undefined, sampleRatio };
  if (place === undefined) return { address: fallback, sampleRatio };
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s:]+):(\d{1,5})$/.exec(place) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    problem('HEDDLE_TELEMETRY must be off, or where OTLP is spoken over HTTP, as in 127.0.0.1:4318.');
  const address = { host: (host ?? '').replace(/^\[|\]$/g, ''), port: Number(port) };
  return { address, sampleRatio };
}

/** A runtime that is observed, and the part that sends what was. */
export interface Observed {
  readonly runtime: Runtime;
  readonly part: Part;
}

/**
 * A runtime like `runtime` whose spans and log lines go out by OTLP too: everything that is built on it is observed.
 * `resource` says who this process is (`service.name` …). The part belongs before all others, so that it stops last.
 */
export function observed(
  runtime: Runtime,
  { address, sampleRatio, tls }: TelemetrySettings,
  resource: Attributes,
  token?: string,
): Observed {
  if (address === undefined) {
    const nothing = (): Promise<void> => Promise.resolve();
    return { runtime, part: { name: 'telemetry export', start: nothing, stop: nothing } };
  }
  const exporter = new OtlpExporter({ runtime, address, tls, token, resource, sampleRatio });
  return { runtime: { ...runtime, spans: exporter, log: exporter.logTo(runtime.log) }, part: exporter };
}
