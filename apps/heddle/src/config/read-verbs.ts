import {
  differences,
  type ConfigVersion,
  follow,
  placeText,
  readPlace,
  type Place,
  type Values,
} from '@heddle/config';
import { Call, HeddleError } from '@heddle/kernel';
import { usageError } from '../command.ts';
import { table } from '../terminal/table.ts';
import { type ConfigAsked, type ConfigVerb, printJson, versionIn } from './config-asked.ts';
import { differenceLines, shownValue } from './shown-value.ts';

/** The verbs that change nothing. */
export const readVerbs: Readonly<Record<string, ConfigVerb>> = {
  list: async ({ store, words, given, world }) => {
    if (words.length > 0) throw usageError('"heddle config list" takes no further words');
    const places = await store.places();
    const heads = await Promise.all(places.map((place) => store.head(place)));
    const rows = heads.filter((head) => head !== undefined).map(rowOf);
    if (given.flag('json')) return printJson(world, rows);
    world.terminal.out(rows.length === 0 ? 'no places yet; "heddle config set" makes one\n' : table(rows));
  },
  show: async (asked) => {
    const { given, world } = asked;
    const head = await headOf(asked);
    if (given.flag('json')) return printJson(world, { ...head, place: placeText(head.place) });
    world.terminal.out(table([rowOf(head)]));
    world.terminal.out(`\n${valuesText(head.values)}`);
    if (head.gray === undefined) return;
    const { instances = [], percent } = head.gray.audience;
    const share = percent === undefined ? [] : [`${percent} %`];
    world.terminal.out(
      `\ngray for ${[...instances, ...share].join(', ')}:\n${differenceLines(differences(head.values, head.gray.values))}`,
    );
  },
  history: async (asked) => {
    const { store, given, world } = asked;
    const place = placeIn(asked, 1);
    const versions = await store.read(place, 0, Number.MAX_SAFE_INTEGER);
    const rows = versions
      .map((version) => ({ ...rowOf(version), comment: version.comment.split('\n')[0] ?? '' }))
      .toReversed();
    if (given.flag('json')) return printJson(world, rows);
    world.terminal.out(rows.length === 0 ? `${placeText(place)} has no versions\n` : table(rows));
  },
  diff: async (asked) => {
    const { store, words, given, world } = asked;
    const place = placeIn(asked, 3);
    const [from, to] = [versionIn(words[1], 'FROM'), versionIn(words[2], 'TO')];
    const valuesOf = async (version: number): Promise<Values> => {
      const [found] = version === 0 ? [] : await store.read(place, version - 1, 1);
      if (found === undefined && version > 0) throw noVersion(place, version);
      return found?.values ?? {};
    };
    const found = differences(await valuesOf(from), await valuesOf(to));
    if (given.flag('json')) return printJson(world, found);
    world.terminal.out(found.length === 0 ? 'nothing differs\n' : differenceLines(found));
  },
  watch: async (asked) => {
    const { runtime, store, given, world } = asked;
    const place = placeIn(asked, 1);
    const call = Call.root(runtime);
    world.onSignal(() =>
      call.cancel(new HeddleError({ code: 'cancelled', reason: 'STOPPED', message: 'stopped' })),
    );
    let before = await store.head(place);
    if (!given.flag('json'))
      world.terminal.out(`${placeText(place)} is at version ${before?.version ?? 0}; Ctrl-C ends\n`);
    try {
      for await (const version of follow(store, place, before?.version ?? 0, call, { runtime })) {
        if (given.flag('json'))
          world.terminal.out(`${JSON.stringify({ ...version, place: placeText(place) })}\n`);
        else
          world.terminal.out(
            `${table([rowOf(version)])}${differenceLines(differences(before?.values ?? {}, version.values))}`,
          );
        before = version;
      }
    } catch (thrown) {
      if (call.cancelled === undefined) throw thrown;
    } finally {
      call.end();
    }
  },
};

/** The place that the first word names, where a verb takes so many words. */
export function placeIn({ words }: ConfigAsked, count: number): Place {
  const [text] = words;
  if (text === undefined || words.length !== count)
    throw usageError(
      `expected a place such as prod/shop/order${count > 1 ? ' and what belongs to it' : ''}; see heddle config --help`,
    );
  return readPlace(text);
}

async function headOf(asked: ConfigAsked): Promise<ConfigVersion> {
  const place = placeIn(asked, 1);
  const head = await asked.store.head(place);
  if (head !== undefined) return head;
  const message = `${placeText(place)} has no versions; "heddle config list" shows the places that have`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PLACE', message });
}

function rowOf({
  place,
  version,
  author,
  atMs,
  action,
  values,
  gray,
}: ConfigVersion): Record<string, string | number> {
  return {
    place: placeText(place),
    version,
    action,
    keys: Object.keys(values).length,
    gray: gray === undefined ? '' : 'yes',
    by: author,
    at: new Date(atMs).toISOString(),
  };
}

function valuesText(values: Values): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${shownValue(value)}\n`);
  return lines.length === 0 ? '(no values)\n' : lines.join('');
}

function noVersion(place: Place, version: number): HeddleError {
  const message = `${placeText(place)} has no version ${version}; "heddle config history" lists those that it has`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_VERSION', message });
}
