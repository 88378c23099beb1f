import {
  type ConfigCentre,
  type ConfigVersion,
  differences,
  isIn,
  type Place,
  placeText,
  readPlace,
} from '@heddle/config';
import { HeddleError } from '@heddle/kernel';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { flag, oneOf, optional, readInput, record, text, texts, whole, wholeIn } from './console-input.ts';
import type { ChangeWords } from '@heddle/config';

type Change = Parameters<ConfigCentre['change']>[1];

const actions = ['publish', 'gray', 'promote', 'abandon', 'rollback'] as const;

/** The config centre: places, values with the version that each comes from, history, changes with a dry run. */
export function configRoutes(centre: ConfigCentre | undefined): ConsoleRoute[] {
  const there = (): ConfigCentre => {
    if (centre !== undefined) return centre;
    const message = 'the control plane has no config centre: set HEDDLE_CONFIG_STORE';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_CONFIG_CENTRE', message, sent: false });
  };
  const placeOf = ({ at }: Asked): Place =>
    readPlace(`${at['environment']}/${at['namespace']}/${at['group']}`);
  const path = '/config/:environment/:namespace/:group';
  return [
    {
      method: 'GET',
      path: '/config',
      role: 'viewer',
      run: async () => ({ places: (await there().store.places()).map(placeText) }),
    },
    {
      method: 'GET',
      path,
      role: 'viewer',
      run: async (asked) => {
        const versions = await allVersions(there(), placeOf(asked));
        const head = versions.at(-1);
        const instance = asked.query.get('instance');
        const isGray =
          head?.gray !== undefined && instance !== null && isIn(head.gray.audience, instance, head.place);
        return {
          head: head === undefined ? null : shown(head),
          origins: originsIn(versions),
          instanceGetsGray: instance === null ? null : isGray,
        };
      },
    },
    {
      method: 'GET',
      path: `${path}/versions`,
      role: 'viewer',
      run: async (asked) => {
        const versions = await allVersions(there(), placeOf(asked));
        const limit = wholeIn(asked.query, 'limit', 100, 1, 1000);
        // Each with what it was before and is now: a history of values alone leaves open which of them is meant.
        const rows = versions.map((version, at) => ({
          ...shown(version),
          changes: differences(versions[at - 1]?.values ?? {}, version.values),
          grayChanges: version.gray === undefined ? [] : differences(version.values, version.gray.values),
        }));
        return { versions: rows.toReversed().slice(0, limit) };
      },
    },
    {
      method: 'POST',
      path,
      role: 'operator',
      run: async (asked) => {
        const place = placeOf(asked);
        const { change, words, dryRun } = await changeIn(asked, there(), place);
        if (dryRun) {
          const plan = await there().plan(place, change, words);
          return { ...plan, version: shown(plan.version) };
        }
        const before = await there().store.head(place);
        const after = await there().change(place, change, words);
        asked.note({
          before: { version: before?.version ?? 0 },
          after: { version: after.version, changes: differences(before?.values ?? {}, after.values) },
        });
        return shown(after);
      },
    },
  ];
}

async function changeIn(
  { body, who }: Asked,
  centre: ConfigCentre,
  place: Place,
): Promise<{ change: Change; words: ChangeWords; dryRun: boolean }> {
  const given = readInput(body, {
    action: oneOf(actions),
    set: optional(record),
    remove: optional(texts(1000)),
    to: optional(whole(1, 1e9)),
    audience: optional(record),
    comment: optional(text(1000, 0)),
    expected: optional(whole(0, 1e9)),
    dryRun: optional(flag),
  });
  const { set, remove, expected } = given;
  const edits = { ...(set && { set }), ...(remove && { remove }) };
  const comment = given.comment ?? '';
  const words: ChangeWords = { author: who.name, comment, ...(expected !== undefined && { expected }) };
  const change = await (async (): Promise<unknown> => {
    switch (given.action) {
      case 'publish':
        return { action: 'publish', ...edits };
      case 'gray':
        return { action: 'gray', audience: given.audience ?? {}, ...edits };
      case 'rollback':
        return { action: 'rollback', to: await centre.version(place, given.to ?? 0) };
      case 'promote':
      case 'abandon':
        return { action: given.action };
    }
  })();
  // What it holds is checked by the centre, which names every problem.
  return { change: change as Change, words, dryRun: given.dryRun === true };
}

async function allVersions(centre: ConfigCentre, place: Place): Promise<readonly ConfigVersion[]> {
  const all: ConfigVersion[] = [];
  for (;;) {
    const some = await centre.store.read(place, all.at(-1)?.version ?? 0, 200);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Which version has given each key the value that it has, by whom and when. */
function originsIn(versions: readonly ConfigVersion[]): Record<string, object> {
  const origins: Record<string, object> = {};
  versions.forEach((version, at) => {
    for (const { key, after } of differences(versions[at - 1]?.values ?? {}, version.values)) {
      const { version: number, author, atMs, comment } = version;
      if (after === undefined) delete origins[key];
      else origins[key] = { version: number, author, atMs, comment };
    }
  });
  return origins;
}

function shown(version: ConfigVersion): Record<string, unknown> {
  return { ...version, place: placeText(version.place) };
}
