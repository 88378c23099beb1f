import type { ChangePlan, ChangeWords, Change, ConfigStore, ConfigVersion, Place } from '@heddle/config';
import type { Runtime } from '@heddle/kernel';
import { type Given, usageError, type World } from '../command.ts';

/** Who changes places: a centre in this process, or one in another. */
export interface ConfigChanger {
  plan(place: Place, change: Change, words: ChangeWords): Promise<ChangePlan>;
  change(place: Place, change: Change, words: ChangeWords): Promise<ConfigVersion>;
}

/** A verb of `heddle config` with all that it works on. */
export interface ConfigAsked {
  readonly runtime: Runtime;
  readonly store: ConfigStore;
  readonly changer: ConfigChanger;
  /** After the verb. */
  readonly words: readonly string[];
  readonly given: Given;
  readonly world: World;
}

/** One verb. */
export type ConfigVerb = (asked: ConfigAsked) => Promise<void>;

/** A whole number from the words. A usage error for anything else. */
export function versionIn(text: string | undefined, what: string): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`${what} expects a version, found "${text ?? ''}"`);
}

/** Prints as JSON. */
export function printJson(world: World, value: unknown): void {
  world.terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
