import { HeddleError } from '@heddle/kernel';
import { membersOf } from '@heddle/discovery/clients';
import type { ChangeWords, ConfigCentre } from '../centre/config-centre.ts';
import type { Place } from '../place/place.ts';
import { readAudience } from '../version/audience.ts';
import type { Change } from '../version/change.ts';
import { checkValues, type Values } from '../version/values.ts';

/** A request to change a place. */
export interface AskedChange {
  readonly change: Change;
  readonly words: ChangeWords;
  readonly dryRun: boolean;
}

const known: ReadonlySet<string> = new Set([
  'action',
  'set',
  'remove',
  'replace',
  'to',
  'audience',
  'author',
  'comment',
  'expected',
  'dryRun',
]);

/** Reads one. Rejects with `invalid_argument` / `BAD_CHANGE` with all that is wrong, or as `ConfigCentre.version`. */
export async function readChange(json: unknown, centre: ConfigCentre, place: Place): Promise<AskedChange> {
  const body = membersOf(json);
  const { action, author, comment = '', expected, dryRun = false } = body;
  const problems = Object.keys(body)
    .filter((name) => !known.has(name))
    .map((name) => `unknown "${name}"`);
  if (typeof author !== 'string') problems.push('author: expected text');
  if (typeof comment !== 'string') problems.push('comment: expected text');
  if (typeof dryRun !== 'boolean') problems.push('dryRun: expected true or false');
  if (expected !== undefined && !isCount(expected)) problems.push('expected: expected a version, or 0');
  if (problems.length > 0) throw badChange(problems);
  const change = await changeOf(String(action), body, centre, place);
  const words = {
    author: author as string,
    comment: comment as string,
    ...(expected !== undefined && { expected: expected as number }),
  };
  return { change, words, dryRun: dryRun as boolean };
}

async function changeOf(
  action: string,
  body: Readonly<Record<string, unknown>>,
  centre: ConfigCentre,
  place: Place,
): Promise<Change> {
  switch (action) {
    case 'publish': {
      const { replace = false } = body;
      if (typeof replace !== 'boolean') throw badChange(['replace: expected true or false']);
      return { action, ...editsIn(body), replace };
    }
    case 'gray':
      return { action, ...editsIn(body), audience: readAudience(body['audience']) };
    case 'rollback': {
      const { to } = body;
      if (!isCount(to)) throw badChange(['to: expected a version']);
      return { action, to: await centre.version(place, to) };
    }
    case 'promote':
    case 'abandon':
      return { action };
    default:
      throw badChange([
        `action: expected publish, gray, rollback, promote or abandon, found "${action.slice(0, 40)}"`,
      ]);
  }
}

function editsIn({ set = {}, remove = [] }: Readonly<Record<string, unknown>>): {
  readonly set: Values;
  readonly remove: readonly string[];
} {
  checkValues(set);
  if (!Array.isArray(remove) || !remove.every((key) => typeof key === 'string'))
    throw badChange(['remove: expected a list of keys']);
  return { set, remove };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function badChange(problems: readonly string[]): HeddleError {
  const message = `the change: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_CHANGE', message, sent: false });
}
