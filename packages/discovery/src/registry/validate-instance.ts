import { HeddleError } from '@heddle/kernel';
import {
  healthValues,
  hostPort,
  type Instance,
  type InstanceInit,
  instanceStates,
  protocols,
} from './instance.ts';
import { hostRule, isHost, isServiceName, serviceNameRule } from './names.ts';

/** What `readInstance` made of its input. */
export type InstanceReading =
  | { readonly instance: Instance; readonly violations?: undefined }
  | { readonly instance?: undefined; readonly violations: readonly FieldViolation[] };

/** One wrong field, as in the `details` of `BAD_INSTANCE` (type `heddle.FieldViolation`). */
export interface FieldViolation {
  readonly field: string;
  readonly expected: string;
  /** What was there instead, shortened, as JSON. */
  readonly found: string;
}

/**
 * Fills in the defaults and checks every field.
 * Throws `invalid_argument` / `BAD_INSTANCE`, `sent: false`, with all problems at once: the message names each field,
 * and `details` has a `FieldViolation` for each.
 */
export function instance(init: InstanceInit): Instance {
  const read = readInstance(init);
  if (read.instance !== undefined) return read.instance;
  throw badInstance(init, read.violations);
}

/**
 * As `instance`, for what came from outside and may be anything: the instance, or what is wrong with it.
 * Unknown fields are left out.
 */
export function readInstance(given: unknown): InstanceReading {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { violations: [{ field: '(all)', expected: 'an object', found: show(given) }] };
  }
  const full = withDefaults(given);
  const violations: FieldViolation[] = [];
  for (const [field, rule] of rules) {
    if (!rule.holds(full[field]))
      violations.push({ field, expected: rule.expected, found: show(full[field]) });
  }
  if (violations.length > 0) return { violations };
  const metadata = Object.freeze({ ...full.metadata });
  return { instance: Object.freeze({ ...full, metadata, tags: Object.freeze([...full.tags]) }) };
}

function withDefaults(given: Partial<Instance>): Instance {
  const { service = '', address = '', port = 0 } = given;
  return {
    id: given.id ?? defaultId(service, address, port),
    service,
    address,
    port,
    version: given.version ?? '',
    metadata: given.metadata ?? {},
    state: given.state ?? 'running',
    weight: given.weight ?? 100,
    zone: given.zone ?? 'default',
    region: given.region ?? 'default',
    tags: given.tags ?? [],
    protocol: given.protocol ?? 'grpc',
    health: given.health ?? 'unknown',
    lastHeartbeatMs: given.lastHeartbeatMs ?? 0,
  };
}

/** A wrong part is reported under its own name, so the id made of it must not be wrong too. */
function defaultId(service: unknown, address: unknown, port: unknown): string {
  if (typeof service !== 'string' || typeof address !== 'string' || typeof port !== 'number')
    return 'unnamed';
  return isServiceName(service) && isHost(address) ? `${service}@${hostPort({ address, port })}` : 'unnamed';
}

interface Rule {
  readonly expected: string;
  holds(value: unknown): boolean;
}

// Control characters would break out of a line-based protocol or a log line.
const plain = (least: number, most: number): Rule => ({
  expected: `${least} to ${most} characters, none of them a control character`,
  holds: (value) => isPlain(value, least, most),
});

const oneOf = (values: readonly string[]): Rule => ({
  expected: `one of ${values.join(', ')}`,
  holds: (value) => values.some((known) => known === value),
});

const whole = (least: number, most: number): Rule => ({
  expected: `a whole number from ${least} to ${most}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

/** In the order of `Instance`; the violations come in it. */
const rules: readonly (readonly [keyof Instance, Rule])[] = [
  // Room for a service name and an address of the greatest length.
  ['id', plain(1, 520)],
  [
    'service',
    { expected: serviceNameRule, holds: (value) => typeof value === 'string' && isServiceName(value) },
  ],
  ['address', { expected: hostRule, holds: (value) => typeof value === 'string' && isHost(value) }],
  ['port', whole(1, 65_535)],
  ['version', plain(0, 128)],
  ['metadata', { expected: metadataRule(), holds: isMetadata }],
  ['state', oneOf(instanceStates)],
  ['weight', whole(0, 65_535)],
  ['zone', plain(1, 128)],
  ['region', plain(1, 128)],
  [
    'tags',
    { expected: 'at most 64 strings of 1 to 128 characters, none a control character', holds: isTags },
  ],
  ['protocol', oneOf(protocols)],
  ['health', oneOf(healthValues)],
  ['lastHeartbeatMs', whole(0, Number.MAX_SAFE_INTEGER)],
];

function isPlain(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most && !/\p{Cc}/u.test(value);
}

function metadataRule(): string {
  return 'at most 64 strings of up to 1024 characters, under keys of 1 to 128, none with a control character';
}

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= 64 && entries.every(([key, text]) => isPlain(key, 1, 128) && isPlain(text, 0, 1024))
  );
}

function isTags(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 64 && value.every((tag) => isPlain(tag, 1, 128));
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The error for violations that were found by `readInstance`. */
export function badInstance(given: unknown, violations: readonly FieldViolation[]): HeddleError {
  const { service, id } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Instance>;
  const problems = violations.map(
    ({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`,
  );
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_INSTANCE',
    message: `instance ${show(id)} of service ${show(service)} cannot be registered: ${problems.join('; ')}`,
    sent: false,
    details: violations.map((value) => ({ type: 'heddle.FieldViolation', value })),
  });
}

/** Throws `invalid_argument` / `BAD_SERVICE_NAME` for what cannot be a service's name. */
export function checkServiceName(service: string): void {
  if (isServiceName(service)) return;
  const message = `expected a service name (${serviceNameRule}), found ${show(service)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SERVICE_NAME', message, sent: false });
}
