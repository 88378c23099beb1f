import {
  type Audience,
  type Change,
  type ConfigValue,
  type KeyRing,
  type Place,
  placeText,
  readKeyRing,
  seal,
  type Values,
} from '@heddle/config';
import { parse as parseYaml } from 'yaml';
import { usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { readInput } from '../node/read-input.ts';
import { type ConfigAsked, type ConfigVerb, printJson, versionIn } from './config-asked.ts';
import { placeIn } from './read-verbs.ts';
import { differenceLines } from './shown-value.ts';

/** The verbs that make a version. */
export const changeVerbs: Readonly<Record<string, ConfigVerb>> = {
  set: async (asked) => {
    const place = placeIn(asked, Math.max(2, asked.words.length));
    await change(asked, place, { action: 'publish', set: await pairsIn(asked, place) });
  },
  unset: async (asked) => {
    const place = placeIn(asked, Math.max(2, asked.words.length));
    await change(asked, place, { action: 'publish', remove: asked.words.slice(1) });
  },
  apply: async (asked) => {
    const place = placeIn(asked, 2);
    const [, file = ''] = asked.words;
    const set = parseYaml(readTextFile(file, 'file'), { strict: true, uniqueKeys: true }) as Values;
    await change(asked, place, { action: 'publish', set, replace: true });
  },
  gray: async (asked) => {
    const place = placeIn(asked, Math.max(2, asked.words.length));
    await change(asked, place, {
      action: 'gray',
      set: await pairsIn(asked, place),
      audience: audienceIn(asked),
    });
  },
  rollback: async (asked) => {
    const place = placeIn(asked, 2);
    const version = versionIn(asked.words[1], 'rollback');
    const [to] = version === 0 ? [] : await asked.store.read(place, version - 1, 1);
    if (to === undefined)
      throw usageError(`${placeText(place)} has no version ${version}; see heddle config history`);
    await change(asked, place, { action: 'rollback', to });
  },
  promote: async (asked) => change(asked, placeIn(asked, 1), { action: 'promote' }),
  abandon: async (asked) => change(asked, placeIn(asked, 1), { action: 'abandon' }),
};

async function change({ changer, given, world }: ConfigAsked, place: Place, wanted: Change): Promise<void> {
  const expect = given.text('expect');
  const words = {
    author: given.text('by') ?? process.env['USER'] ?? 'command line',
    comment: given.text('why') ?? '',
    ...(expect !== undefined && { expected: versionIn(expect, '--expect') }),
  };
  const plan = await changer.plan(place, wanted, words);
  const isDry = given.flag('dry-run');
  const version = isDry ? plan.version : await changer.change(place, wanted, words);
  if (given.flag('json'))
    return printJson(world, { ...plan, version: { ...version, place: placeText(place) }, done: !isDry });
  const [all, gray] = [differenceLines(plan.differences), differenceLines(plan.gray)];
  world.terminal.out(all === '' && gray === '' ? 'nothing differs\n' : all);
  if (gray !== '') world.terminal.out(`for the gray release:\n${gray}`);
  world.terminal.out(
    isDry ? 'nothing was done (--dry-run)\n' : `${placeText(place)} is at version ${version.version}\n`,
  );
}

/** `key=value`: the value as JSON if it is that, else as text; `-` is what stands on the input. */
async function pairsIn({ words, given, runtime }: ConfigAsked, place: Place): Promise<Values> {
  const keys = given.flag('secret') ? keyRing(given.text('keys')) : undefined;
  const values: Record<string, ConfigValue> = {};
  for (const word of words.slice(1)) {
    const at = word.indexOf('=');
    if (at < 1) throw usageError(`expected key=value, found "${word.slice(0, 40)}"`);
    const [key, given_] = [word.slice(0, at), word.slice(at + 1)];
    const text = given_ === '-' ? (await readInput()).replace(/\r?\n$/, '') : given_;
    values[key] =
      keys === undefined ? valueOf(text) : seal(text, `${placeText(place)} ${key}`, keys, runtime.random);
  }
  return values;
}

function valueOf(text: string): ConfigValue {
  try {
    return JSON.parse(text) as ConfigValue;
  } catch {
    return text;
  }
}

function keyRing(file: string | undefined): KeyRing {
  const path = file ?? process.env['HEDDLE_CONFIG_KEYS'];
  if (path === undefined)
    throw usageError('--secret needs keys: --keys FILE, or a file in HEDDLE_CONFIG_KEYS');
  return readKeyRing(readTextFile(path, 'file with keys'));
}

function audienceIn({ given }: ConfigAsked): Audience {
  const [instances, percent] = [given.text('instance'), given.text('percent')];
  if (instances === undefined && percent === undefined)
    throw usageError('a gray release needs --instance, --percent or both');
  if (percent !== undefined && !(Number(percent) >= 0 && Number(percent) <= 100))
    throw usageError(`--percent expects a number from 0 to 100, found "${percent}"`);
  return {
    ...(instances !== undefined && { instances: instances.split(',').map((one) => one.trim()) }),
    ...(percent !== undefined && { percent: Number(percent) }),
  };
}
