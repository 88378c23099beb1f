import { type Code, codes, HeddleError } from '@heddle/kernel';
import { decodeBinary, Fields } from '@heddle/wire';
import { reasonOf } from '../../status/status-fields.ts';

/** An error of Connect's as JSON has it, as far as it can be read. */
interface ErrorJson {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
}

/** The JSON of a text; undefined for one that is none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The error that Connect's JSON tells of (connectrpc.com/docs/protocol, "Error"). `fallback` is the code where it names
 * none that is known; `trailer` is where a Heddle server puts its reason.
 */
export function errorOfJson(json: unknown, fallback: Code, trailer: Fields): HeddleError {
  const { code, message, details }: ErrorJson = typeof json === 'object' && json !== null ? json : {};
  return new HeddleError({
    code: codeOf(code) ?? fallback,
    reason: reasonOf(trailer) ?? 'UPSTREAM_STATUS',
    message: typeof message === 'string' ? message : '',
    details: Array.isArray(details) ? details.flatMap(detailOf) : [],
  });
}

/** Its name for this one code is spelt in American English; the other fifteen are ours. */
function codeOf(name: unknown): Code | undefined {
  return name === 'canceled' ? 'cancelled' : codes.find((code) => code === name && code !== 'cancelled');
}

function detailOf(json: unknown): { type: string; value: Uint8Array }[] {
  const { type, value }: { type?: unknown; value?: unknown } =
    typeof json === 'object' && json !== null ? json : {};
  if (typeof type !== 'string' || typeof value !== 'string') return [];
  try {
    return [{ type, value: decodeBinary(value) }];
  } catch {
    // As with the details of gRPC: the error itself has been understood.
    return [];
  }
}

/** What the `metadata` of Connect's last envelope says; what is no list of texts counts as not said. */
export function fieldsOfJson(metadata: unknown): Fields {
  const fields = new Fields();
  if (typeof metadata !== 'object' || metadata === null) return fields;
  for (const [name, values] of Object.entries(metadata))
    if (Array.isArray(values))
      for (const value of values) if (typeof value === 'string') fields.append(name.toLowerCase(), value);
  return fields;
}
