import { HeddleError, type Runtime } from '@heddle/kernel';
import { nested } from '../client/layers.ts';
import { pathOf, type StandardSchema } from '../client/standard-schema.ts';
import { type Place, placeText } from '../place/place.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { type Change, nextVersion } from '../version/change.ts';
import { type Difference, differences } from '../version/difference.ts';
import type { ConfigValue, Values } from '../version/values.ts';
import type { ConfigVersion } from '../version/version.ts';

/** What a centre is made of. */
export interface ConfigCentreOptions {
  readonly runtime: Runtime;
  readonly store: ConfigStore;
  /** What the values of a place must be; undefined for anything. */
  readonly schemaOf?: (place: Place) => StandardSchema | undefined;
}

/** Who asks for a change, and why. */
export interface ChangeWords {
  readonly author: string;
  readonly comment: string;
  /** The version that the change was made for: with another one there now it is refused. Default: whatever there is. */
  readonly expected?: number;
}

/** What a change would do. */
export interface ChangePlan {
  readonly version: ConfigVersion;
  /** For everybody. */
  readonly differences: readonly Difference[];
  /** For the audience of the gray release, against what everybody gets. */
  readonly gray: readonly Difference[];
}

/** How often a change is tried again that another one overtook. */
const attempts = 5;

/** Changes places, each change as a version that its schema accepts, and looks back. */
export class ConfigCentre {
  readonly store: ConfigStore;
  readonly #runtime: Runtime;
  readonly #schemaOf: (place: Place) => StandardSchema | undefined;

  constructor({ runtime, store, schemaOf = () => undefined }: ConfigCentreOptions) {
    this.store = store;
    this.#runtime = runtime;
    this.#schemaOf = schemaOf;
  }

  /** What a change would do; nothing is done. Rejects as `change` would. */
  async plan(place: Place, change: Change, words: ChangeWords): Promise<ChangePlan> {
    const head = await this.store.head(place);
    if (words.expected !== undefined && words.expected !== (head?.version ?? 0))
      throw notExpected(place, words.expected, head?.version ?? 0);
    const { author, comment } = words;
    const version = nextVersion(place, head, change, { author, comment, atMs: this.#runtime.clock.wallMs() });
    await this.#check(version);
    return {
      version,
      differences: differences(head?.values ?? {}, version.values),
      gray: version.gray === undefined ? [] : differences(version.values, version.gray.values),
    };
  }

  /**
   * Does it, and gives the version that came of it. Rejects with `invalid_argument` / `SCHEMA_REFUSES` and every
   * problem, and then nothing is changed; with `aborted` / `VERSION_CONFLICT` when others keep being first; see
   * `nextVersion` for the rest.
   */
  async change(place: Place, change: Change, words: ChangeWords): Promise<ConfigVersion> {
    for (let tried = 1; ; tried++) {
      const { version } = await this.plan(place, change, words);
      try {
        await this.store.append(version);
        this.#runtime.log('info', 'a place of the configuration has been changed', {
          place: placeText(place),
          version: version.version,
          action: version.action,
          author: version.author,
        });
        return version;
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        const overtaken = error.reason === 'VERSION_CONFLICT' && words.expected === undefined;
        if (!overtaken || tried >= attempts) throw error;
      }
    }
  }

  /** The values of `version` for everybody again, as a new version. */
  async rollback(place: Place, version: number, words: ChangeWords): Promise<ConfigVersion> {
    return this.change(place, { action: 'rollback', to: await this.version(place, version) }, words);
  }

  /** One version. Rejects with `not_found` / `NO_SUCH_VERSION`. */
  async version(place: Place, version: number): Promise<ConfigVersion> {
    const [found] = version < 1 ? [] : await this.store.read(place, version - 1, 1);
    if (found !== undefined) return found;
    const head = await this.store.head(place);
    const has = head === undefined ? 'has no versions' : `has versions 1 to ${head.version}`;
    const message = `${placeText(place)} ${has}, and no version ${version}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_VERSION', message });
  }

  /** What became of the values for everybody between two versions; 0 is before the first. */
  async differences(place: Place, from: number, to: number): Promise<readonly Difference[]> {
    const valuesOf = async (version: number): Promise<Values> =>
      version === 0 ? {} : (await this.version(place, version)).values;
    return differences(await valuesOf(from), await valuesOf(to));
  }

  async #check(version: ConfigVersion): Promise<void> {
    const schema = this.#schemaOf(version.place);
    if (schema === undefined) return;
    const problems = await problemsOf(schema, version.values, '');
    if (version.gray !== undefined)
      problems.push(...(await problemsOf(schema, version.gray.values, 'gray: ')));
    if (problems.length === 0) return;
    const message = `${placeText(version.place)}: its schema refuses the change: ${problems.join('; ')}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'SCHEMA_REFUSES', message, sent: false });
  }
}

/** References and secrets are looked at by the client, which alone can resolve them. */
async function problemsOf(schema: StandardSchema, values: Values, before: string): Promise<string[]> {
  const result = await schema['~standard'].validate(nested(Object.entries(values)));
  const left = Object.keys(values).filter((key) => hasReference(values[key] ?? null));
  return (result.issues ?? [])
    .map((issue) => ({ path: pathOf(issue), message: issue.message }))
    .filter(({ path }) => !left.some((key) => path === key || path.startsWith(`${key}.`)))
    .map(({ path, message }) => `${before}${path === '' ? 'the whole' : path}: ${message}`);
}

function hasReference(value: ConfigValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasReference);
  return Object.entries(value).some(([name, inner]) => name.startsWith('$') || hasReference(inner));
}

function notExpected(place: Place, expected: number, found: number): HeddleError {
  const message = `${placeText(place)}: the change was made for version ${expected}, and it is at ${found} now; look at it again`;
  return new HeddleError({ code: 'aborted', reason: 'VERSION_CONFLICT', message, sent: false });
}
