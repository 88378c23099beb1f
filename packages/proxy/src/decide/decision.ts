import { HeddleError } from '@heddle/kernel';

/** What a policy says of a request. */
export interface Decision {
  readonly allowed: boolean;
  /** For the upstream if it is allowed, for the caller if not. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Of a refusal. Default 403. */
  readonly status: number;
  /** Of a refusal; undefined: the usual one. */
  readonly body: string | undefined;
  readonly reason: string | undefined;
}

/** Nobody has decided, which is no permission. */
export const undecided: Decision = {
  allowed: false,
  headers: [],
  status: 403,
  body: undefined,
  reason: 'the policy does not say',
};

/**
 * Reads an answer of OPA's data API: `{result: true}`, or an object with `allow` or `allowed`, and perhaps `headers`,
 * `http_status`, `body` and `reason`, as policies for Envoy have it; without `result` the document is not defined.
 * Throws `internal` / `BAD_DECISION` for anything else, since a guess could let somebody in.
 */
export function readDecision(text: string): Decision {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw bad('it is no JSON');
  }
  if (!isObject(answer)) throw bad('it is no object');
  const { result } = answer;
  if (result === undefined) return undecided;
  if (typeof result === 'boolean') return { ...undecided, allowed: result, reason: undefined };
  if (!isObject(result)) throw bad('its result is neither true, false nor an object');
  const { allow, allowed = allow, http_status: status = 403, headers = {}, body, reason } = result;
  if (typeof allowed !== 'boolean' || (allow !== undefined && allow !== allowed))
    throw bad('its result has no "allow" or "allowed" that is true or false');
  if (!isStatus(status)) throw bad('its "http_status" is none of 200 to 599');
  if (!isObject(headers)) throw bad('its "headers" are no object');
  return {
    allowed,
    headers: Object.entries(headers).map(([name, value]) => [fieldName(name), fieldValue(value)] as const),
    status,
    body: typeof body === 'string' ? body : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
  };
}

/** Fields of the connection, and who sends a request to whom, are not for a policy to say. */
const notForPolicies =
  /^(connection|content-length|transfer-encoding|upgrade|te|trailer|host|forwarded|x-forwarded-.*|keep-alive)$/;

function fieldName(name: string): string {
  const lower = name.toLowerCase();
  if (/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(lower) && !notForPolicies.test(lower)) return lower;
  throw bad('one of its "headers" is no field that a policy may set');
}

function fieldValue(value: unknown): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{0,4096}$/.test(value)) return value;
  throw bad('one of its "headers" has a value that no field can have');
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 599;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(why: string): HeddleError {
  const message = `the decision point's answer cannot be read: ${why}`;
  return new HeddleError({ code: 'internal', reason: 'BAD_DECISION', message, sent: false });
}
