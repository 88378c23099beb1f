import {
  ConfigClient,
  type ConfigStore,
  type ConfigValue,
  openConfigStore,
  type Origin,
  readPlace,
  type StandardSchema,
} from '@heddle/config';
import type { Part, Runtime } from '@heddle/kernel';
import { readTextFile } from '../node/config-file.ts';

/** Which of Heddle's own programs asks for its settings. */
export interface OwnSettingsOptions<Settings> {
  readonly runtime: Runtime;
  /** The group of its place, `<HEDDLE_ENVIRONMENT, or "default">/heddle/<name>`, and the prefix of its variables. */
  readonly name: 'gateway' | 'control-plane';
  readonly schema: StandardSchema<Settings>;
  readonly defaults: Readonly<Record<string, ConfigValue>>;
  /** The centre, where it is in this process. Default: the one at HEDDLE_CONFIG, or none. */
  readonly store?: ConfigStore | undefined;
}

/** One setting as people are shown it. */
export interface ShownSetting {
  readonly key: string;
  readonly from: Origin;
}

/** A program's own settings, live; a part that starts before what uses them. */
export interface OwnSettings<Settings> extends Part {
  readonly client: ConfigClient<Settings>;
  /** Every key that is set, and by whom. Values are not shown: an operator sees them where they come from. */
  shown(): { readonly source: string; readonly settings: readonly ShownSetting[] };
}

/**
 * Defaults, then variables `HEDDLE_GATEWAY_…` or `HEDDLE_CONTROL_PLANE_…`, then the config centre. A centre that is away
 * keeps nobody from starting: the last good copy serves, and without one the other layers.
 */
export async function ownSettings<Settings>(
  options: OwnSettingsOptions<Settings>,
): Promise<OwnSettings<Settings>> {
  const { runtime, name, schema, defaults } = options;
  const store = options.store ?? (await storeFromEnvironment(runtime));
  const place = readPlace(`${process.env['HEDDLE_ENVIRONMENT'] ?? 'default'}/heddle/${name}`);
  const prefix = `HEDDLE_${name.toUpperCase().replace('-', '_')}`;
  const client = new ConfigClient<Settings>({
    runtime,
    schema,
    defaults,
    instance: `${name}-${process.pid}`,
    environment: { prefix, variables: process.env },
    ...(store !== undefined && { centre: { store, places: [place] } }),
    lastGoodPath: `settings/${name}.json`,
    withoutCentre: 'start',
  });
  return {
    name: 'settings',
    client,
    start: () => client.start(),
    stop: async () => {
      await client.stop();
      if (options.store === undefined) await store?.close();
    },
    shown: () => ({
      source: client.state.source,
      settings: [...client.origins].map(([key, from]) => ({ key, from })),
    }),
  };
}

async function storeFromEnvironment(runtime: Runtime): Promise<ConfigStore | undefined> {
  const url = process.env['HEDDLE_CONFIG'];
  if (url === undefined || url === '') return undefined;
  return openConfigStore(url, {
    runtime,
    secret: process.env['HEDDLE_CONFIG_TOKEN'],
    readText: async (path) => readTextFile(path, 'file'),
    variable: (variable) => process.env[variable],
  });
}
