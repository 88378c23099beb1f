import { HeddleError } from '@heddle/kernel';
import { discoveryBackends } from './discovery-backend.ts';
import type { HealthCheck } from '../health/health-check.ts';
import { isServiceName, serviceNameRule } from '../registry/names.ts';
import type { FieldViolation } from '../registry/validate-instance.ts';
import { parseRegistryUrl } from '../open/registry-url.ts';

/** How calls are spread over the instances. Whoever makes the client refuses those that it does not have. */
export const balancingPolicies = [
  'round_robin',
  'weighted_round_robin',
  'random',
  'weighted_random',
  'least_request',
  'p2c_ewma',
  'ring_hash',
  'maglev',
  'locality',
  'priority',
] as const;
/** One of `balancingPolicies`. */
export type BalancingPolicy = (typeof balancingPolicies)[number];

/** How a service is found, checked and called, as data. Times in milliseconds. */
export interface ServiceConfig {
  readonly service: string;
  /** The registry, for `openRegistry`: a URL, or a backend's name. Default `embedded`. */
  readonly discovery: string;
  /** Default `round_robin`. */
  readonly balancing: BalancingPolicy;
  /** How its instances are checked; `ttl`: they report by themselves. Default `grpc`, of the server as a whole. */
  readonly healthCheck: HealthCheck | { readonly kind: 'ttl'; readonly ttlMs: number };
  /** From one check to the next, 100 to 3600000. Default 30000. */
  readonly checkIntervalMs: number;
  /** Deadline of a check, at most its interval. Default 5000. */
  readonly checkTimeoutMs: number;
  /** Failures in a row that make an instance critical (`HealthRules.fall`), 1 to 100. Default 3. */
  readonly checkRetries: number;
  /** Default true. */
  readonly circuitBreaker: boolean;
  /** Deadline of a call, 1 to 3600000. Default 5000. */
  readonly callTimeoutMs: number;
}

/** What is not stated has its default. */
export type ServiceConfigInit = Pick<ServiceConfig, 'service'> & Partial<ServiceConfig>;

/**
 * Fills in the defaults and checks all of it, for what was read from a file as well: unknown fields are refused, since
 * they are misspelt ones. Throws `invalid_argument` / `BAD_SERVICE_CONFIG` with all problems at once: the message names
 * each field, and `details` has a `FieldViolation` for each.
 */
export function serviceConfig(init: ServiceConfigInit): ServiceConfig {
  const violations: FieldViolation[] = [];
  if (!isObject(init)) {
    throw badConfig(init, [{ field: '(all)', expected: 'an object', found: show(init) }]);
  }
  const config: ServiceConfig = Object.freeze({ ...defaults, ...withoutUndefined(init) });
  for (const [field, rule] of Object.entries(rules)) {
    const value = config[field as keyof ServiceConfig];
    if (!rule.holds(value)) violations.push({ field, expected: rule.expected, found: show(value) });
  }
  if (isObject(config.healthCheck)) violations.push(...checkViolations(config.healthCheck));
  if (violations.length === 0 && config.checkTimeoutMs > config.checkIntervalMs) {
    const expected = `at most checkIntervalMs, which is ${config.checkIntervalMs}`;
    violations.push({ field: 'checkTimeoutMs', expected, found: show(config.checkTimeoutMs) });
  }
  violations.push(...unknownFields(config, Object.keys(rules), ''));
  if (violations.length > 0) throw badConfig(init, violations);
  return config;
}

const defaults: ServiceConfig = {
  // Refused: there is no default for it.
  service: '',
  discovery: 'embedded',
  balancing: 'round_robin',
  healthCheck: { kind: 'grpc' },
  checkIntervalMs: 30_000,
  checkTimeoutMs: 5000,
  checkRetries: 3,
  circuitBreaker: true,
  callTimeoutMs: 5000,
};

interface Rule {
  readonly expected: string;
  holds(value: unknown): boolean;
}

const oneOf = (values: readonly string[]): Rule => ({
  expected: `one of ${values.join(', ')}`,
  holds: (value) => values.some((known) => known === value),
});

const whole = (least: number, most: number): Rule => ({
  expected: `a whole number from ${least} to ${most}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

const optional = (rule: Rule): Rule => ({
  expected: rule.expected,
  holds: (value) => value === undefined || rule.holds(value),
});

const aText: Rule = { expected: 'a text', holds: (value) => typeof value === 'string' };

const longestMs = 3_600_000;

const rules: Readonly<Record<keyof ServiceConfig, Rule>> = {
  service: {
    expected: serviceNameRule,
    holds: (value) => typeof value === 'string' && isServiceName(value),
  },
  discovery: {
    expected: `a registry such as "consul://host:8500", or one of ${discoveryBackends.join(', ')}`,
    holds: isRegistry,
  },
  balancing: oneOf(balancingPolicies),
  healthCheck: { expected: 'an object with a kind', holds: isObject },
  checkIntervalMs: whole(100, longestMs),
  checkTimeoutMs: whole(1, longestMs),
  checkRetries: whole(1, 100),
  circuitBreaker: { expected: 'true or false', holds: (value) => typeof value === 'boolean' },
  callTimeoutMs: whole(1, longestMs),
};

/** By kind: the fields beside it. */
const checkRules: Readonly<Record<ServiceConfig['healthCheck']['kind'], Readonly<Record<string, Rule>>>> = {
  http: {
    path: optional({
      expected: 'a path that starts with "/", of visible ASCII characters',
      holds: (value) => typeof value === 'string' && /^\/[\x21-\x7e]*$/.test(value),
    }),
    status: optional({
      expected: '{ from, to }, two statuses from 100 to 599, the first not above the second',
      holds: isStatusRange,
    }),
    body: optional(aText),
  },
  tcp: {},
  grpc: { service: optional(aText) },
  script: {
    argv: {
      expected: 'a list of a program and its arguments, none with a NUL',
      holds: (value) =>
        Array.isArray(value) &&
        value.length > 0 &&
        value[0] !== '' &&
        value.every((part) => typeof part === 'string' && !part.includes('\0')),
    },
  },
  ttl: { ttlMs: whole(100, longestMs) },
};

function checkViolations(check: object): FieldViolation[] {
  const given = check as Readonly<Record<string, unknown>>;
  const kinds = Object.keys(checkRules);
  const kind = kinds.find((known) => known === given['kind']);
  if (kind === undefined) {
    const expected = `one of ${kinds.join(', ')}`;
    return [{ field: 'healthCheck.kind', expected, found: show(given['kind']) }];
  }
  const own = checkRules[kind as keyof typeof checkRules];
  const violations = Object.entries(own)
    .filter(([field, rule]) => !rule.holds(given[field]))
    .map(([field, { expected }]) => {
      return { field: `healthCheck.${field}`, expected, found: show(given[field]) };
    });
  return [...violations, ...unknownFields(check, ['kind', ...Object.keys(own)], 'healthCheck.')];
}

function unknownFields(given: object, known: readonly string[], prefix: string): FieldViolation[] {
  const expected = `one of the fields ${known.join(', ')}`;
  return Object.keys(given)
    .filter((field) => !known.includes(field))
    .map((field) => ({ field: `${prefix}${field}`, expected, found: 'an unknown field' }));
}

function isRegistry(value: unknown): boolean {
  try {
    return typeof value === 'string' && parseRegistryUrl(value).text !== '';
  } catch {
    return false;
  }
}

function isStatusRange(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { from, to } = value as { from?: unknown; to?: unknown };
  const status = whole(100, 599);
  return status.holds(from) && status.holds(to) && (from as number) <= (to as number);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** So that a field that was left undefined has its default, as one that was left out. */
function withoutUndefined(init: ServiceConfigInit): Partial<ServiceConfig> {
  return Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function badConfig(given: unknown, violations: readonly FieldViolation[]): HeddleError {
  const name = isObject(given) ? (given as Partial<ServiceConfig>).service : undefined;
  const problems = violations.map(
    ({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`,
  );
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_SERVICE_CONFIG',
    message: `the configuration of service ${show(name)} cannot be used: ${problems.join('; ')}`,
    sent: false,
    details: violations.map((value) => ({ type: 'heddle.FieldViolation', value })),
  });
}
