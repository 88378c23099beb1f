import { HeddleError } from '@heddle/kernel';
import { type TelemetrySettings, telemetrySettings } from '@heddle/telemetry';

/** What the service has to be told before it can start. */
export interface Settings {
  /** URL of the registry, as in `embedded://127.0.0.1:8090` or `k8s:/default`. */
  readonly registry: string;
  /** Opens the registry, and the receiver of traces; undefined if they ask for nothing. */
  readonly token: string | undefined;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The address at which others reach it. */
  readonly advertise: string;
  /** False where something else does it, as Kubernetes does for its pods. */
  readonly register: boolean;
  /** Stated in the registry. */
  readonly version: string;
  readonly telemetry: TelemetrySettings;
}

/** Reads them from the environment. Throws `invalid_argument` / `BAD_SETTINGS` with all problems at once. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  const text = (name: string, fallback: string): string => environment[name] || fallback;
  const registry = text('HEDDLE_REGISTRY', '');
  if (registry === '') problems.push('HEDDLE_REGISTRY must be the URL of a registry.');
  const host = text('HOST', '127.0.0.1');
  const advertise = text('ADVERTISE', host);
  if (/^(0\.0\.0\.0|::)$/.test(advertise))
    problems.push('ADVERTISE must be an address that others can call.');
  const port = text('PORT', '0');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push('PORT must be from 0 to 65535.');
  const registering = text('REGISTER', 'on');
  if (!/^(on|off)$/.test(registering)) problems.push('REGISTER must be on or off.');
  const telemetry = telemetrySettings(environment, undefined, (problem) => problems.push(problem));
  const version = text('VERSION', 'dev');
  const token = environment['HEDDLE_REGISTRY_TOKEN'] || undefined;
  const register = registering === 'on';
  if (problems.length === 0)
    return { registry, token, host, port: Number(port), advertise, register, version, telemetry };
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SETTINGS', message: problems.join(' ') });
}
