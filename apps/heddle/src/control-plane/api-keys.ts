import { createHash } from 'node:crypto';
import { type ConfigCentre, type ConfigValue, type Place, readPlace } from '@heddle/config';
import { HeddleError, type Random } from '@heddle/kernel';
import type { ConsoleRoute } from './console-api.ts';
import { oneOf, optional, readInput, text, texts, whole } from './console-input.ts';

const windows = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const units = ['second', 'minute', 'hour', 'day'] as const;
const prefix = 'apiKeys.';

/**
 * API keys of the gateways with their quotas, kept in the config centre as hashes: the same that `heddle api key` makes.
 * `environment`: whose gateways.
 */
export function keyRoutes(
  centre: ConfigCentre | undefined,
  random: Random,
  environment: string,
): ConsoleRoute[] {
  const place = readPlace(`${environment}/heddle/gateway`);
  const there = (): ConfigCentre => {
    if (centre !== undefined) return centre;
    const message = 'the control plane has no config centre: set HEDDLE_CONFIG_STORE';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_CONFIG_CENTRE', message, sent: false });
  };
  return [
    {
      method: 'GET',
      path: '/api-keys',
      role: 'operator',
      run: async () => ({ keys: await keysAt(there(), place) }),
    },
    {
      method: 'POST',
      path: '/api-keys',
      role: 'admin',
      run: async ({ body, who, note }) => {
        const given = readInput(body, {
          id: text(100),
          roles: optional(texts(50)),
          limit: optional(whole(1, 1e9)),
          per: optional(oneOf(units)),
        });
        await requireNew(there(), place, given.id);
        // 256 bits by chance: a hash without salt is enough for those, and for nothing that a person has made up.
        const secret = `hdl_${Buffer.from(random.bytes(32)).toString('base64url')}`;
        const stored: Record<string, ConfigValue> = {
          sha256: createHash('sha256').update(secret).digest('hex'),
          ...((given.roles?.length ?? 0) > 0 && { roles: [...(given.roles ?? [])] }),
          ...(given.limit !== undefined && {
            quota: { limit: given.limit, windowMs: windows[given.per ?? 'day'] },
          }),
        };
        const words = { author: who.name, comment: `create API key ${given.id}` };
        await there().change(place, { action: 'publish', set: { [prefix + given.id]: stored } }, words);
        note({ after: { id: given.id, quota: stored['quota'] ?? 'none' } });
        return { id: given.id, key: secret };
      },
    },
    {
      method: 'DELETE',
      path: '/api-keys/:id',
      role: 'admin',
      run: async ({ at, who, note }) => {
        const id = at['id'] ?? '';
        const words = { author: who.name, comment: `revoke API key ${id}` };
        await there().change(place, { action: 'publish', remove: [prefix + id] }, words);
        note({ before: { id }, after: 'revoked' });
        return { keys: await keysAt(there(), place) };
      },
    },
  ];
}

async function requireNew(centre: ConfigCentre, place: Place, id: string): Promise<void> {
  const [reason, message] = /^[A-Za-z0-9_-]{1,100}$/.test(id)
    ? ['ID_TAKEN', `there is a key ${id} already: revoke it first, or take another name`]
    : ['BAD_INPUT', `id: expected 1 to 100 letters, digits, "_" and "-", found "${id.slice(0, 60)}"`];
  const isTaken = (await keysAt(centre, place)).some((key) => key.id === id);
  if (reason === 'BAD_INPUT' || isTaken)
    throw new HeddleError({ code: 'invalid_argument', reason, message, sent: false });
}

interface KeyView {
  readonly id: string;
  readonly roles: unknown;
  readonly quota: unknown;
  readonly expires: unknown;
}

/** What is shown of keys: never their hashes. */
async function keysAt(centre: ConfigCentre, place: Place): Promise<readonly KeyView[]> {
  const values = (await centre.store.head(place))?.values ?? {};
  return Object.entries(values)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => {
      const { roles = [], quota = null, expires = null } = value as Record<string, unknown>;
      return { id: name.slice(prefix.length), roles, quota, expires };
    });
}
