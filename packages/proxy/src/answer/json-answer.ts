import { Fields, type HttpResponse, wholeBody } from '@heddle/wire';

const encoder = new TextEncoder();

/** An answer made by the proxy itself. Never cached, never sniffed. */
export function jsonAnswer(status: number, value: object): HttpResponse {
  const fields = Fields.of({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  return { status, fields, body: wholeBody(encoder.encode(`${JSON.stringify(value)}\n`)) };
}
