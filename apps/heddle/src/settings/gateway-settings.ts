import type { ConfigValue, StandardSchema } from '@heddle/config';
import { membersIn, type NoteProblem, settingsSchema, wholeIn } from './settings-schema.ts';

/** An API key as the config centre has it: by its hash, never the key. */
export interface ManagedKey {
  readonly id: string;
  readonly sha256: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** RFC 3339; undefined: never. */
  readonly expires: string | undefined;
  /** Requests within a time, over all routes; undefined: as many as the routes' own limits let through. */
  readonly quota: { readonly limit: number; readonly windowMs: number } | undefined;
}

/** What of a gateway can be set while it runs, beside its files. */
export interface GatewaySettings {
  readonly apiKeys: readonly ManagedKey[];
}

/** As they are without a config centre. */
export const gatewayDefaults: Readonly<Record<string, ConfigValue>> = { apiKeys: {} };

const day = 86_400_000;

/** What the place `…/heddle/gateway` may hold. */
export const gatewaySettings: StandardSchema<GatewaySettings> = settingsSchema((value, note) => {
  const { apiKeys } = membersIn(value, [], note, ['apiKeys']);
  const keys = Object.entries(membersIn(apiKeys, ['apiKeys'], note));
  return { apiKeys: keys.map(([id, key]) => keyIn(id, key, note)) };
});

function keyIn(id: string, value: unknown, note: NoteProblem): ManagedKey {
  const path = ['apiKeys', id];
  const { sha256, roles, scopes, expires, quota } = membersIn(value, path, note, [
    'sha256',
    'roles',
    'scopes',
    'expires',
    'quota',
  ]);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))
    note([...path, 'sha256'], 'expected the SHA-256 of the key, 64 hex digits');
  if (expires !== undefined && (typeof expires !== 'string' || Number.isNaN(Date.parse(expires))))
    note([...path, 'expires'], 'expected a time such as 2030-01-31T00:00:00Z');
  return {
    id,
    sha256: String(sha256),
    roles: wordsIn(roles, [...path, 'roles'], note),
    scopes: wordsIn(scopes, [...path, 'scopes'], note),
    expires: expires as string | undefined,
    quota: quotaIn(quota, [...path, 'quota'], note),
  };
}

function quotaIn(value: unknown, path: readonly string[], note: NoteProblem): ManagedKey['quota'] {
  if (value === undefined) return undefined;
  const { limit, windowMs } = membersIn(value, path, note, ['limit', 'windowMs']);
  return {
    limit: wholeIn(limit, [...path, 'limit'], note, [1, 1_000_000_000]),
    windowMs: wholeIn(windowMs, [...path, 'windowMs'], note, [1000, day]),
  };
}

function wordsIn(value: unknown, path: readonly string[], note: NoteProblem): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')) return value;
  note(path, 'expected a list of words');
  return [];
}
