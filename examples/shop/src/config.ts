import { type Address, HeddleError } from '@heddle/kernel';
import { type TelemetrySettings, telemetrySettings } from '@heddle/telemetry';

/** What a service of the shop has to know before it can start. */
export interface ShopConfig {
  /** Where the registry's servers are. */
  readonly registry: readonly Address[];
  /** What the registry asks for, if it does. */
  readonly registryToken: string | undefined;
  readonly databaseUrl: string;
  /** Opens the admin endpoint. */
  readonly adminToken: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Of the generated catalogue; the same for all services. */
  readonly seed: number;
  /** Stated in the registry, e.g. `v1`. */
  readonly version: string;
  readonly zone: string;
  /** How an order is carried out across the services; the same for all of them. */
  readonly checkout: CheckoutKind;
  /** Where spans and log lines go: to the registry's control plane, unless it says otherwise. */
  readonly telemetry: TelemetrySettings;
}

/**
 * `steps`: a state machine of the order service with a sweep; `saga`: a saga of steps that can be undone; `tcc`: try all,
 * then confirm or cancel all; `2pc`: two-phase commit, for which the databases need `max_prepared_transactions`.
 */
export type CheckoutKind = 'steps' | 'saga' | 'tcc' | '2pc';

type Environment = Readonly<Record<string, string | undefined>>;

const addresses = /^[^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*$/;

/**
 * Reads the configuration from the environment. Rejects with `invalid_argument` / `BAD_CONFIG`, whose message has
 * one sentence for each problem, so that one start shows them all. Nothing secret is in it.
 */
export function readConfig(environment: Environment): ShopConfig {
  const problems: string[] = [];
  const text = (name: string, fallback: string | undefined, rule: RegExp, expected: string): string => {
    const given = environment[name];
    const value = given === undefined || given === '' ? fallback : given;
    if (value === undefined) problems.push(`${name} is not set; it must be ${expected}.`);
    else if (!rule.test(value)) problems.push(`${name} must be ${expected}.`);
    return value ?? '';
  };
  const whole = (name: string, fallback: number, most: number): number => {
    const value = Number(text(name, String(fallback), /^\d{1,10}$/, `a whole number from 0 to ${most}`));
    if (value > most) problems.push(`${name} must be a whole number from 0 to ${most}.`);
    return value;
  };
  const registry = addressesOf(
    text('HEDDLE_REGISTRY', undefined, addresses, 'the addresses of the registry, as in 127.0.0.1:7070'),
  );
  const config: ShopConfig = {
    registry,
    telemetry: telemetrySettings(environment, registry[0], (problem) => problems.push(problem)),
    registryToken: environment['HEDDLE_REGISTRY_TOKEN'] || undefined,
    databaseUrl: text(
      'SHOP_DATABASE_URL',
      undefined,
      /^postgres(ql)?:\/\/\S+\/\S+$/,
      'the URL of a PostgreSQL database',
    ),
    adminToken: text(
      'SHOP_ADMIN_TOKEN',
      undefined,
      /^[\x21-\x7e]{16,200}$/,
      '16 to 200 visible characters, made at random',
    ),
    host: text('SHOP_HOST', '127.0.0.1', /^\S+$/, 'the address to listen on, as in 127.0.0.1'),
    port: whole('SHOP_PORT', 0, 65_535),
    seed: whole('SHOP_SEED', 1, 0xffff_ffff),
    version: text('SHOP_VERSION', 'v1', /^[\w.-]{1,40}$/, 'a short name, as in v1'),
    zone: text('SHOP_ZONE', 'default', /^[\w.-]{1,40}$/, 'a short name, as in a'),
    checkout: text(
      'SHOP_CHECKOUT',
      'steps',
      /^(steps|saga|tcc|2pc)$/,
      'steps, saga, tcc or 2pc',
    ) as CheckoutKind,
  };
  if (problems.length === 0) return config;
  throw new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_CONFIG',
    message: problems.join(' '),
    sent: false,
  });
}

function addressesOf(text: string): readonly Address[] {
  return text.split(',').map((each) => {
    const [host = '', port = ''] = each.split(':');
    return { host, port: Number(port) };
  });
}
