import { Call, HeddleError, type Part, type Runtime, sleep } from '@heddle/kernel';
import { type Place, placeText } from '../place/place.ts';
import type { KeyRing } from '../secret/key-ring.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { follow } from '../store/follow.ts';
import type { ConfigValue } from '../version/values.ts';
import type { ConfigVersion } from '../version/version.ts';
import { type Compiled, compile, leavesFor } from './compile.ts';
import { environmentValues } from './environment.ts';
import { loadLastGood, saveLastGood } from './last-good.ts';
import { type Leaves, leavesOf, type Origin } from './layers.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Where a configuration comes from, the lowest layer first, and what it must be. */
export interface ConfigClientOptions<Config> {
  readonly runtime: Runtime;
  readonly schema: StandardSchema<Config>;
  /** Who we are, for gray releases: the instance's id. */
  readonly instance: string;
  readonly defaults?: { readonly [key: string]: ConfigValue };
  /** What was read from a file, and its name for people (see `configFile` in `@heddle/config/node`). */
  readonly file?: { readonly path: string; readonly values: { readonly [key: string]: ConfigValue } };
  /** Variables `<prefix>_…`, see `environmentValues`. */
  readonly environment?: {
    readonly prefix: string;
    readonly variables: Readonly<Record<string, string | undefined>>;
  };
  /** Places of the centre: a later one wins over those before it. */
  readonly centre?: { readonly store: ConfigStore; readonly places: readonly Place[] };
  /** Opens secrets. */
  readonly keys?: KeyRing;
  /** The text of a file that a value refers to. Default: none can be read. */
  readonly readText?: (path: string) => Promise<string>;
  /** Where the last good copy is kept on `runtime.disk`. Default `config/last-good.json`. */
  readonly lastGoodPath?: string;
  /** How long a start waits for the centre before it takes the last good copy. Default 3000. */
  readonly startMs?: number;
  /** What a start does without the centre and without a copy: reject (default), or go on with the other layers. */
  readonly withoutCentre?: 'fail' | 'start';
}

/** How things stand with a client. */
export interface ConfigClientState {
  /** `centre`: as the centre has it; `last-good`: from the copy on disk; `layers`: there is no centre in it. */
  readonly source: 'centre' | 'last-good' | 'layers';
  /** The version in use of each place, 0 for one that has none. */
  readonly versions: ReadonlyMap<string, number>;
  /** Why the newest versions are not in use; undefined when they are. */
  readonly refused: HeddleError | undefined;
  /** Why the centre cannot be followed at the moment. */
  readonly trouble: HeddleError | undefined;
}

/** Hears of a new configuration. What it throws is logged, and nobody else's matter. */
export type ConfigListener<Config> = (config: Config, origins: ReadonlyMap<string, Origin>) => void;

/**
 * The typed configuration of a program, live. `start` resolves when there is one that its schema accepts. From then on
 * every version of every place is tried in order: one that is not good is refused, logged and shown in `state`, and
 * the configuration before it stays.
 */
export class ConfigClient<Config> implements Part {
  readonly name = 'configuration';
  readonly #options: ConfigClientOptions<Config>;
  readonly #lower: readonly Leaves[];
  /** The newest of each place, accepted or not. */
  #heads: ReadonlyMap<string, ConfigVersion | undefined> = new Map();
  #inUse: ReadonlyMap<string, ConfigVersion | undefined> = new Map();
  #compiled: Compiled<Config> | undefined;
  #source: ConfigClientState['source'] = 'layers';
  #refused: HeddleError | undefined;
  #trouble: HeddleError | undefined;
  readonly #listeners = new Set<ConfigListener<Config>>();
  readonly #call: Call;
  #following: Promise<unknown> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ConfigClientOptions<Config>) {
    this.#options = options;
    this.#call = Call.root(options.runtime);
    this.#lower = lowerLayers(options);
  }

  /** The configuration. Throws `failed_precondition` / `NOT_STARTED` before there is one. */
  get current(): Config {
    return this.#now.value;
  }

  /** Where each value comes from. Throws as `current`. */
  get origins(): ReadonlyMap<string, Origin> {
    return this.#now.origins;
  }

  get state(): ConfigClientState {
    const versions = new Map([...this.#inUse].map(([place, one]) => [place, one?.version ?? 0]));
    return { source: this.#source, versions, refused: this.#refused, trouble: this.#trouble };
  }

  /** Calls `listener` with each new configuration. Returns what ends that. */
  onChange(listener: ConfigListener<Config>): () => void {
    const own: ConfigListener<Config> = (config, origins) => listener(config, origins);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Rejects with `BAD_CONFIGURATION` (see `compile`), or with why the centre is not there and no copy either. */
  async start(): Promise<void> {
    const { centre } = this.#options;
    if (centre === undefined) {
      this.#compiled = await this.#compile(new Map());
      return;
    }
    const heads = await this.#firstHeads(centre.store, centre.places);
    this.#heads = heads;
    await this.#begin(heads, centre.places);
    this.#following = Promise.allSettled(centre.places.map((place) => this.#follow(centre.store, place)));
  }

  async stop(): Promise<void> {
    const message = 'this configuration is not used any more';
    this.#call.cancel(new HeddleError({ code: 'cancelled', reason: 'STOPPED', message }));
    await this.#following;
    await this.#work;
    this.#call.end();
  }

  get #now(): Compiled<Config> {
    if (this.#compiled !== undefined) return this.#compiled;
    const message = 'the configuration is not there before start() has resolved';
    throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_STARTED', message, sent: false });
  }

  /** With these versions, or if they are refused with those of the copy, as a client that had been running would. */
  async #begin(
    heads: ReadonlyMap<string, ConfigVersion | undefined>,
    places: readonly Place[],
  ): Promise<void> {
    try {
      this.#compiled = await this.#compile(heads);
      this.#inUse = heads;
      if (this.#source === 'centre') await this.#save(heads);
    } catch (thrown) {
      const copy = this.#source === 'centre' ? await this.#copy(places) : undefined;
      if (copy === undefined) throw thrown;
      this.#compiled = await this.#compile(copy);
      this.#inUse = copy;
      this.#source = 'last-good';
      this.#refused = HeddleError.from(thrown);
      this.#options.runtime.log('error', 'the configuration is refused; starting with the last good copy', {
        error: this.#refused.message,
      });
    }
  }

  /** The copy on disk, if it has any of the places. */
  async #copy(places: readonly Place[]): Promise<Map<string, ConfigVersion | undefined> | undefined> {
    const { runtime, lastGoodPath = defaultPath } = this.#options;
    const copy = await loadLastGood(runtime, lastGoodPath);
    const found = places.map((place) => [placeText(place), copy.get(placeText(place))] as const);
    return found.some(([, version]) => version !== undefined) ? new Map(found) : undefined;
  }

  async #firstHeads(
    store: ConfigStore,
    places: readonly Place[],
  ): Promise<Map<string, ConfigVersion | undefined>> {
    const { runtime, startMs = 3000, withoutCentre = 'fail' } = this.#options;
    try {
      const asked = Promise.all(
        places.map(async (place) => [placeText(place), await store.head(place)] as const),
      );
      const heads = new Map(await within(runtime, startMs, asked));
      this.#source = 'centre';
      return heads;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#trouble = error;
      const copy = await this.#copy(places);
      if (copy === undefined && withoutCentre === 'fail') throw error;
      this.#source = copy === undefined ? 'layers' : 'last-good';
      runtime.log('warn', 'the config centre cannot be reached; starting without it', {
        from: this.#source,
        error: error.message,
      });
      return copy ?? new Map();
    }
  }

  async #follow(store: ConfigStore, place: Place): Promise<void> {
    const { runtime } = this.#options;
    const text = placeText(place);
    const onState = (error: HeddleError | undefined): void => {
      this.#trouble = error;
      // Nothing newer came, so what the copy had is what the centre has.
      if (error === undefined && this.#refused === undefined) this.#source = 'centre';
    };
    const after = this.#heads.get(text)?.version ?? 0;
    for await (const version of follow(store, place, after, this.#call, { runtime, onState })) {
      // One after another, whatever place they are of.
      this.#work = this.#work.then(() => this.#take(text, version));
      await this.#work;
    }
  }

  async #take(place: string, version: ConfigVersion): Promise<void> {
    const { runtime } = this.#options;
    const heads = new Map(this.#heads).set(place, version);
    this.#heads = heads;
    try {
      this.#compiled = await this.#compile(heads);
    } catch (thrown) {
      this.#refused = HeddleError.from(thrown);
      runtime.log('error', 'a version of the configuration is refused; the one before it stays', {
        place,
        version: version.version,
        error: this.#refused.message,
      });
      return;
    }
    this.#refused = undefined;
    this.#inUse = heads;
    this.#source = 'centre';
    this.#tell(this.#compiled);
    await this.#save(heads);
  }

  #tell({ value, origins }: Compiled<Config>): void {
    for (const listener of this.#listeners) {
      try {
        listener(value, origins);
      } catch (error) {
        this.#options.runtime.log('error', 'a listener to the configuration has failed', { error });
      }
    }
  }

  async #save(heads: ReadonlyMap<string, ConfigVersion | undefined>): Promise<void> {
    const { runtime, lastGoodPath = defaultPath } = this.#options;
    const versions = [...heads.values()].filter((one) => one !== undefined);
    try {
      await saveLastGood(runtime, lastGoodPath, versions);
    } catch (thrown) {
      const error = HeddleError.from(thrown).message;
      runtime.log('warn', 'the last good copy of the configuration cannot be written', { error });
    }
  }

  #compile(heads: ReadonlyMap<string, ConfigVersion | undefined>): Promise<Compiled<Config>> {
    const { schema, instance, keys, environment, readText = noFiles } = this.#options;
    const upper = [...heads.values()].map((one) =>
      one === undefined ? new Map() : leavesFor(one, instance),
    );
    const variable = (name: string): string | undefined => environment?.variables[name];
    return compile([...this.#lower, ...upper], schema, { variable, readText, keys });
  }
}

const defaultPath = 'config/last-good.json';

function lowerLayers<Config>({
  defaults = {},
  file,
  environment,
}: ConfigClientOptions<Config>): readonly Leaves[] {
  const layers = [leavesOf(defaults, () => ({ layer: 'default', where: 'the program' }))];
  if (file !== undefined) layers.push(leavesOf(file.values, () => ({ layer: 'file', where: file.path })));
  if (environment !== undefined) {
    const { values, names } = environmentValues(environment.prefix, environment.variables);
    const nameOf = (key: string): string =>
      names.get(key) ?? [...names].find(([one]) => key.startsWith(`${one}.`))?.[1] ?? environment.prefix;
    layers.push(leavesOf(values, (key) => ({ layer: 'environment', where: nameOf(key) })));
  }
  return layers;
}

/** Rejects with `deadline_exceeded` / `CENTRE_TIMEOUT` after `limitMs`. */
async function within<T>(runtime: Runtime, limitMs: number, asked: Promise<T>): Promise<T> {
  const call = Call.root(runtime);
  const late = sleep(runtime.timers, limitMs, call).then((): never => {
    const message = `the config centre did not answer within ${limitMs} ms`;
    throw new HeddleError({ code: 'deadline_exceeded', reason: 'CENTRE_TIMEOUT', message });
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    call.cancel(new HeddleError({ code: 'cancelled', reason: 'NOT_NEEDED', message: 'answered' }));
    call.end();
    late.catch(() => {});
    asked.catch(() => {});
  }
}

function noFiles(path: string): Promise<string> {
  const message = `a value refers to the file "${path}", and this program reads none: give the client \`readText\``;
  return Promise.reject(
    new HeddleError({ code: 'failed_precondition', reason: 'NO_FILES', message, sent: false }),
  );
}
