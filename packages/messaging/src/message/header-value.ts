/**
 * The value of an attribute as an engine's header that takes printable ASCII only: everything else, and space, quote and
 * percent, is percent-encoded UTF-8. Source: CloudEvents 1.0.2, HTTP and NATS protocol bindings, section 3.1.3.2.
 */
export function toHeaderValue(value: string): string {
  return /^[!#$&-~]*$/.test(value) ? value : value.replaceAll(/[^!#$&-~]+/gu, encodeURIComponent);
}

/** Reads it back; what is not well encoded is taken as it is. */
export function fromHeaderValue(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
