import type { Span } from '@heddle/kernel';
import { writeAnyValue, writeAttributes } from './attributes.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { type Attributes, spanKinds } from './signal.ts';

const scopeName = 'heddle';
// One for all requests, which are made one after the other: a buffer that has grown stays so.
const writer = new ProtobufWriter();
const severities = { debug: 5, info: 9, warn: 13, error: 17 } as const;

/** A line of this process's log, on its way out. */
export interface LogLine {
  readonly timeMs: number;
  readonly level: keyof typeof severities;
  readonly message: string;
  readonly attributes: Attributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Hears of an item that cannot be written, which is left out. Without one the error is thrown. */
export type Unwritable = (error: unknown) => void;

/** An `ExportTraceServiceRequest` in protobuf. */
export function encodeTraces(
  resource: Attributes,
  spans: readonly Span[],
  unwritable?: Unwritable,
): Uint8Array {
  return encoded(resource, spans, writeSpan, unwritable);
}

/** An `ExportLogsServiceRequest` in protobuf. */
export function encodeLogs(
  resource: Attributes,
  lines: readonly LogLine[],
  unwritable?: Unwritable,
): Uint8Array {
  return encoded(resource, lines, writeLog, unwritable);
}

/** The two levels around either are numbered alike. */
function encoded<T>(
  resource: Attributes,
  items: readonly T[],
  write: (item: T) => void,
  unwritable: Unwritable = thrown,
): Uint8Array {
  writer.rewind(0);
  const all = writer.open(1);
  const from = writer.open(1);
  writeAttributes(writer, 1, resource);
  writer.close(from);
  const scoped = writer.open(2);
  const scope = writer.open(1);
  writer.text(1, scopeName);
  writer.close(scope);
  for (const item of items) {
    const start = writer.length;
    try {
      write(item);
    } catch (error) {
      writer.rewind(start);
      unwritable(error);
    }
  }
  writer.close(scoped);
  writer.close(all);
  return writer.finish();
}

function thrown(error: unknown): never {
  throw error;
}

function writeSpan(span: Span): void {
  const { trace, error, failed, startWallMs, durationMs } = span;
  const start = writer.open(2);
  writer.hex(1, trace.traceId);
  writer.hex(2, trace.spanId);
  if (trace.state !== undefined) writer.text(3, trace.state);
  writer.hex(4, span.parentSpanId ?? '');
  writer.text(5, span.name);
  writer.uint(6, spanKinds.indexOf(span.kind));
  // Whole microseconds: a finer number would not survive the way.
  const startUs = Math.floor(startWallMs * 1000);
  writer.timeUs(7, startUs);
  writer.timeUs(8, startUs + Math.round(durationMs * 1000));
  writeAttributes(writer, 9, span.attributes);
  if (error !== undefined)
    writeAttributes(writer, 9, { 'error.type': error.reason, 'heddle.code': error.code });
  if (failed) {
    const status = writer.open(15);
    if (error !== undefined) writer.text(2, error.message);
    writer.uint(3, 2);
    writer.close(status);
  }
  writer.close(start);
}

function writeLog({ timeMs, level, message, ...line }: LogLine): void {
  const start = writer.open(2);
  writer.timeUs(1, Math.floor(timeMs * 1000));
  writer.uint(2, severities[level]);
  writer.text(3, level);
  writeAnyValue(writer, 5, message);
  writeAttributes(writer, 6, line.attributes);
  writer.hex(9, line.traceId ?? '');
  writer.hex(10, line.spanId ?? '');
  writer.close(start);
}
