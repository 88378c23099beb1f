import { createHash } from 'node:crypto';
import { type ConfigStore, type ConfigValue, readPlace, type RemoteStore } from '@heddle/config';
import { exitCodes, usageError } from '../command.ts';
import { centreOf } from '../config/centre-access.ts';
import { table } from '../terminal/table.ts';
import { type ApiAsked, type ApiVerb, printJson } from './api-asked.ts';

const windows: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** `heddle api key create|list|revoke`: API keys of the gateways, in the config centre, by their hashes. */
export const key: ApiVerb = async (asked) => {
  const [verb, id, ...more] = asked.words;
  const known = verb === 'create' || verb === 'list' || verb === 'revoke';
  if (!known || more.length > 0 || (id === undefined) !== (verb === 'list'))
    throw usageError('"heddle api key" takes create ID, revoke ID or list');
  const { store, close } = await centreOf(asked.given, asked.runtime);
  try {
    if (verb === 'list') return await list(asked, store);
    if (id === undefined || !/^[A-Za-z0-9_-]{1,100}$/.test(id))
      throw usageError(`a key's id is 1 to 100 letters, digits, "_" and "-", found "${id ?? ''}"`);
    const author = asked.given.text('by') ?? process.env['USER'] ?? 'command line';
    const words = { author, comment: `${verb} API key ${id}` };
    if (verb === 'revoke') {
      await store.change(place(), { action: 'publish', remove: [`apiKeys.${id}`] }, words);
      asked.world.terminal.out(`${id} opens nothing any more\n`);
      return exitCodes.done;
    }
    return await create(asked, store, id, words);
  } finally {
    await close();
  }
};

async function create(
  asked: ApiAsked,
  store: RemoteStore,
  id: string,
  words: { readonly author: string; readonly comment: string },
): Promise<number> {
  const { given, runtime, world } = asked;
  // 256 bits by chance: a hash without salt is enough for those, and for nothing that a person has made up.
  const secret = `hdl_${Buffer.from(runtime.random.bytes(32)).toString('base64url')}`;
  const [roles, scopes, expires] = [
    listIn(given.text('role')),
    listIn(given.text('scope')),
    given.text('expires'),
  ];
  const stored: Record<string, ConfigValue> = {
    sha256: createHash('sha256').update(secret).digest('hex'),
    ...(roles.length > 0 && { roles }),
    ...(scopes.length > 0 && { scopes }),
    ...(expires !== undefined && { expires }),
    ...quotaIn(given.text('quota')),
  };
  await store.change(place(), { action: 'publish', set: { [`apiKeys.${id}`]: stored } }, words);
  if (given.flag('json')) printJson(asked, { id, key: secret });
  else world.terminal.out(`${secret}\n`);
  if (!given.flag('json')) world.terminal.err('keep it now: it is stored as a hash, and shown this once\n');
  return exitCodes.done;
}

async function list(asked: ApiAsked, store: ConfigStore): Promise<number> {
  const values = (await store.head(place()))?.values ?? {};
  const keys = Object.entries(values).filter(([name]) => name.startsWith('apiKeys.'));
  const rows = keys.map(([name, value]) => {
    const { roles, scopes, expires, quota } = value as Record<string, ConfigValue>;
    const { limit, windowMs } = (quota ?? {}) as { limit?: number; windowMs?: number };
    const unit = Object.entries(windows).find(([, ms]) => ms === windowMs)?.[0];
    return {
      id: name.slice('apiKeys.'.length),
      roles: shownWord(roles),
      scopes: shownWord(scopes),
      quota: limit === undefined ? '' : `${limit}/${unit ?? `${windowMs} ms`}`,
      expires: shownWord(expires),
    };
  });
  if (asked.given.flag('json')) printJson(asked, rows);
  else asked.world.terminal.out(rows.length === 0 ? 'no keys yet\n' : table(rows));
  return exitCodes.done;
}

function shownWord(value: ConfigValue | undefined): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : '';
}

function place(): ReturnType<typeof readPlace> {
  return readPlace(`${process.env['HEDDLE_ENVIRONMENT'] ?? 'default'}/heddle/gateway`);
}

function listIn(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function quotaIn(text: string | undefined): { readonly quota?: ConfigValue } {
  if (text === undefined) return {};
  const [, count, unit = ''] = /^(\d{1,9})\/(second|minute|hour|day)$/.exec(text) ?? [];
  const windowMs = windows[unit];
  if (count === undefined || windowMs === undefined)
    throw usageError(`--quota expects 1000/day, or per hour, minute or second, found "${text}"`);
  return { quota: { limit: Number(count), windowMs } };
}
