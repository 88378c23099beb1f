import { type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { readMatcher } from '@heddle/telemetry';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { alertConfig, notifyFile } from '../control-plane/alerts.ts';
import {
  alertRows,
  type ShownAlert,
  type ShownRule,
  type ShownSilence,
  ruleRows,
  silenceRows,
} from '../observe/alert-rows.ts';
import { PlaneClient } from '../observe/plane-client.ts';
import { table } from '../terminal/table.ts';
import { alertsUsage } from './alerts.usage.ts';

interface Desk {
  readonly given: Given;
  readonly world: World;
  readonly plane: PlaneClient;
  readonly runtime: Runtime;
  /** The words after the verb. */
  readonly words: readonly string[];
}

/** `heddle alerts`. */
export const alerts: Command = {
  ...alertsUsage,
  run: async (given, world) => {
    const [verb = 'ls', ...words] = given.words;
    if (verb === 'check') return check(words, world);
    const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (run === undefined)
      throw usageError(`"heddle alerts" has ${[...Object.keys(verbs), 'check'].join(', ')}, found "${verb}"`);
    const takesWords = verb === 'silence' || verb === 'unsilence';
    if (!takesWords && words.length > 0)
      throw usageError(`"heddle alerts ${verb}" takes no word, found "${words[0]}"`);
    const runtime = nodeRuntime({ name: 'alerts', logLevel: 'error' });
    const plane = new PlaneClient(given, runtime);
    try {
      return await run({ given, world, plane, runtime, words });
    } finally {
      plane.close();
    }
  },
};

const verbs: Readonly<Record<string, (desk: Desk) => Promise<number>>> = {
  ls: async (desk) => {
    const [rules, alerting] = await Promise.all([
      desk.plane.get<Rules>('/api/v1/rules', { type: 'alert' }),
      desk.plane.get<readonly ShownAlert[]>('/api/v2/alerts'),
    ]);
    const all = (rules?.data.groups ?? []).flatMap((group) => group.rules);
    const pending = all.flatMap((rule) => (rule.alerts ?? []).filter(({ state }) => state === 'pending'));
    const firing = alerting ?? [];
    return show(
      desk,
      { firing, pending },
      alertRows(firing, pending),
      `no alert: ${all.length} rules are quiet`,
    );
  },
  rules: async (desk) => {
    const found = await desk.plane.get<Rules>('/api/v1/rules');
    const groups = found?.data.groups ?? [];
    return show(
      desk,
      groups,
      groups.flatMap(({ name, rules }) => ruleRows(name, rules)),
      'there is no rule',
    );
  },
  silences: async (desk) => {
    const found = (await desk.plane.get<readonly ShownSilence[]>('/api/v2/silences')) ?? [];
    return show(desk, found, silenceRows(found), 'nothing is silenced');
  },
  notifications: async (desk) => {
    const found = await desk.plane.get<{ notifications: readonly Told[] }>('/api/notifications');
    const told = found?.notifications ?? [];
    return show(desk, told, told.map(toldRow), 'nobody was told of anything');
  },
  silence,
  unsilence: async ({ plane, words, world }) => {
    const [id, ...rest] = words;
    if (id === undefined || rest.length > 0)
      throw usageError('"heddle alerts unsilence" needs the id of a silence');
    await plane.change('DELETE', `/api/v2/silence/${encodeURIComponent(id)}`);
    world.terminal.out(`silence ${id} has ended\n`);
    return 0;
  },
};

interface Rules {
  readonly data: {
    readonly groups: readonly { readonly name: string; readonly rules: readonly ShownRule[] }[];
  };
}

interface Told {
  readonly receiver: string;
  readonly channel: string;
  readonly group: Readonly<Record<string, string>>;
  readonly deliveredAt: string | null;
  readonly owed: number;
  readonly failures: number;
  readonly problem: string;
  readonly retryIn: string | null;
}

function toldRow({
  receiver,
  channel,
  group,
  deliveredAt,
  owed,
  failures,
  problem,
  retryIn,
}: Told): Record<string, string | number> {
  const labels = Object.entries(group).map(([name, value]) => `${name}=${value}`);
  const trouble = failures === 0 ? '' : `${failures} failed, again in ${retryIn ?? '-'}: ${problem}`;
  return {
    receiver,
    channel,
    group: labels.join(' ') || '-',
    delivered: deliveredAt ?? 'never',
    owed,
    trouble,
  };
}

function show(
  { given, world }: Desk,
  json: unknown,
  rows: readonly Record<string, string | number>[],
  none: string,
): number {
  if (given.flag('json')) world.terminal.out(`${JSON.stringify(json, undefined, 2)}\n`);
  else world.terminal.out(rows.length === 0 ? `${none}\n` : table(rows));
  return 0;
}

async function silence({ given, world, plane, runtime, words }: Desk): Promise<number> {
  if (words.length === 0)
    throw usageError('"heddle alerts silence" needs matchers, as in alertname=HighErrorRate');
  const matchers = words.map(readMatcher);
  const wrong = matchers.find((each) => typeof each === 'string');
  if (wrong !== undefined) throw usageError(wrong);
  const nowMs = runtime.clock.wallMs();
  const forMs = durationOf(given.text('for') ?? '2h');
  const made = await plane.change<{ silenceID: string }>('POST', '/api/v2/silences', {
    matchers,
    startsAt: new Date(nowMs).toISOString(),
    endsAt: new Date(nowMs + forMs).toISOString(),
    createdBy: given.text('by') ?? process.env['USER'] ?? 'heddle',
    comment: given.text('comment') ?? '',
  });
  const until = new Date(nowMs + forMs).toISOString();
  if (given.flag('json')) world.terminal.out(`${JSON.stringify(made)}\n`);
  else world.terminal.out(`silence ${made.silenceID} until ${until}\n`);
  return 0;
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw usageError(`--for expects a duration such as 30m or 2h, found "${text}"`);
}

/** What a control plane would say at its start, before it is started. */
async function check(words: readonly string[], { terminal }: World): Promise<number> {
  const [folder, ...rest] = words;
  if (folder === undefined || rest.length > 0) throw usageError('"heddle alerts check" needs a folder');
  const { groups, notify } = alertConfig(folder);
  const rules = groups.reduce((sum, each) => sum + each.rules.length, 0);
  const channels = notify.receivers.reduce((sum, each) => sum + each.channels.length, 0);
  const told =
    channels === 0
      ? `nobody is told (${notifyFile} says who)`
      : `${notify.receivers.length} receivers with ${channels} channels`;
  terminal.out(`${rules} rules in ${groups.length} groups; ${told}\n`);
  return 0;
}
