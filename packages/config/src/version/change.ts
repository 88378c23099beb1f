import { HeddleError } from '@heddle/kernel';
import { type Place, placeText } from '../place/place.ts';
import { type Audience, readAudience } from './audience.ts';
import { checkValues, type ConfigValue, type Values } from './values.ts';
import { type ConfigVersion, checkWords } from './version.ts';

/** Something to do to a place. */
export type Change =
  /** Keys to set and to remove for everybody. With `replace`, what is not set is removed. */
  | {
      readonly action: 'publish';
      readonly set?: Values;
      readonly remove?: readonly string[];
      readonly replace?: boolean;
    }
  /** The values of an earlier version again. */
  | { readonly action: 'rollback'; readonly to: ConfigVersion }
  /** As `publish`, for an audience alone; instead of a gray release that is there already. */
  | {
      readonly action: 'gray';
      readonly audience: Audience;
      readonly set?: Values;
      readonly remove?: readonly string[];
    }
  /** The gray values for everybody. */
  | { readonly action: 'promote' }
  /** The gray values for nobody. */
  | { readonly action: 'abandon' };

/** Who changes it, when and why. */
export interface Signature {
  readonly author: string;
  readonly atMs: number;
  readonly comment: string;
}

/**
 * The next version of a place. Pure. Throws `invalid_argument` for what is wrong with the change, and
 * `failed_precondition` / `NO_GRAY_RELEASE` or `GRAY_RELEASE_RUNS`: while a gray release runs, values for everybody are
 * changed by promoting or abandoning it first, since nobody could say what its audience should get.
 */
export function nextVersion(
  place: Place,
  head: ConfigVersion | undefined,
  change: Change,
  { author, atMs, comment }: Signature,
): ConfigVersion {
  checkWords(author, comment);
  const made = { place, version: (head?.version ?? 0) + 1, author, atMs, comment, action: change.action };
  const values = head?.values ?? {};
  const gray = head?.gray;
  switch (change.action) {
    case 'publish':
      if (gray !== undefined) throw grayRuns(place);
      return { ...made, values: edited(change.replace === true ? {} : values, change) };
    case 'rollback':
      if (gray !== undefined) throw grayRuns(place);
      return { ...made, values: change.to.values };
    case 'gray':
      return {
        ...made,
        values,
        gray: { audience: readAudience(change.audience), values: edited(values, change) },
      };
    case 'promote':
      if (gray === undefined) throw noGray(place);
      return { ...made, values: gray.values };
    case 'abandon':
      if (gray === undefined) throw noGray(place);
      return { ...made, values };
  }
}

function edited(
  values: Values,
  { set = {}, remove = [] }: { readonly set?: Values; readonly remove?: readonly string[] },
): Values {
  const unknown = remove.filter((key) => !Object.hasOwn(values, key) && !Object.hasOwn(set, key));
  if (unknown.length > 0) throw notThere(unknown);
  const kept = Object.entries(values).filter(([key]) => !remove.includes(key));
  const all = Object.fromEntries<ConfigValue>([...kept, ...Object.entries(set)]);
  checkValues(all);
  return all;
}

function grayRuns(place: Place): HeddleError {
  const message = `${placeText(place)} has a gray release: promote or abandon it first`;
  return new HeddleError({ code: 'failed_precondition', reason: 'GRAY_RELEASE_RUNS', message, sent: false });
}

function noGray(place: Place): HeddleError {
  const message = `${placeText(place)} has no gray release`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_GRAY_RELEASE', message, sent: false });
}

function notThere(keys: readonly string[]): HeddleError {
  const message = `expected keys to remove that are there, found ${keys.join(', ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_SUCH_KEY', message, sent: false });
}
