import { HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpResponse, statusOfCode, wholeBody } from '@heddle/wire';

const encoder = new TextEncoder();

// No inline script, nothing from elsewhere, no framing: what is injected into a name is shown, never run. Styles may stand
// in attributes (the widgets place themselves by them); a style cannot send anything anywhere, since images, fonts and
// connections are bound to this origin.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The policy of a page that shows pages of other origins in frames; those run under their own. */
export function framing(origins: readonly string[]): string {
  return `${policy}; frame-src ${origins.join(' ')}`;
}

/** With what every answer of the console says to browsers. */
export function secured(fields: Fields): Fields {
  if (!fields.has('cache-control')) fields.append('cache-control', 'no-store');
  return fields
    .append('content-security-policy', policy)
    .append('x-content-type-options', 'nosniff')
    .append('referrer-policy', 'no-referrer')
    .append('cross-origin-opener-policy', 'same-origin')
    .append('cross-origin-resource-policy', 'same-origin');
}

/** Bytes of a type. */
export function bytesAnswer(status: number, type: string, bytes: Uint8Array): HttpResponse {
  const body = bytes.byteLength === 0 ? emptyBody : wholeBody(bytes);
  return { status, fields: secured(Fields.of({ 'content-type': type })), body };
}

/** A value as JSON. */
export function jsonOf(status: number, value: unknown): HttpResponse {
  return bytesAnswer(status, 'application/json', encoder.encode(JSON.stringify(value ?? null)));
}

/** A line for people. */
export function textAnswer(status: number, content: string): HttpResponse {
  return bytesAnswer(status, 'text/plain; charset=utf-8', encoder.encode(content));
}

/** What went wrong, as JSON: code, reason, message. */
export function failureAnswer(thrown: unknown): HttpResponse {
  const { code, reason, message } = HeddleError.from(thrown);
  return jsonOf(reason === 'BODY_TOO_LARGE' ? 413 : statusOfCode(code), { code, reason, message });
}

/** A browser goes on elsewhere. */
export function redirect(to: string, cookies: readonly string[] = []): HttpResponse {
  const fields = secured(Fields.of({ location: to }));
  for (const cookie of cookies) fields.append('set-cookie', cookie);
  return { status: 303, fields, body: emptyBody };
}
