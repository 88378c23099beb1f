// A request of OTLP as a busy service sends it: 512 spans with six attributes each.
import type { Span } from '@heddle/kernel';
import { encodeTraces } from '@heddle/telemetry';

/** Spans in one request. */
export const spansPerRequest = 512;

const services = 100;

/** Spans with their ids by `first`: of 32 traces, each span the child of the one before. */
export function spansFrom(first: number, startWallMs: number): readonly Span[] {
  return Array.from({ length: spansPerRequest }, (_, at) => {
    const number = first + at;
    const trace = Math.floor(number / 16);
    return {
      name: `GET /resource/${number % 50}`,
      kind: 'server' as const,
      trace: { traceId: hex(trace + 1, 32), spanId: hex(number + 1, 16), sampled: true },
      parentSpanId: number % 16 === 0 ? undefined : hex(number, 16),
      startWallMs: startWallMs + at / 100,
      durationMs: (number % 997) / 10,
      error: undefined,
      failed: number % 100 === 0,
      attributes: {
        'http.request.method': 'GET',
        'http.route': `/resource/${number % 50}`,
        'url.path': `/resource/${number}`,
        'http.response.status_code': 200,
        'heddle.correlation_id': `request-${number % 1000}`,
        'server.port': 8080,
      },
    };
  });
}

/** The request in protobuf, of one of a hundred services. */
export function requestFrom(first: number, startWallMs: number = Date.now()): Uint8Array {
  const service = `service-${Math.floor(first / spansPerRequest) % services}`;
  const resource = {
    'service.name': service,
    'service.instance.id': `${service}-1`,
    'service.version': '1.0.0',
  };
  return encodeTraces(resource, spansFrom(first, startWallMs));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
