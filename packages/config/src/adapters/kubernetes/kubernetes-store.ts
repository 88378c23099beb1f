import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type KubernetesAccess,
  KubernetesClient,
  listObjects,
  type Selection,
  membersOf,
  watchObjects,
} from '@heddle/discovery/clients';
import { isPlace, type Place, placeText, readPlace } from '../../place/place.ts';
import type { ConfigStore } from '../../store/config-store.ts';
import { toldWakes } from '../../store/told-wakes.ts';
import { versionConflict } from '../../store/version-conflict.ts';
import { type ConfigVersion, readVersion, versionText } from '../../version/version.ts';

/** Where the store is in Kubernetes. */
export interface KubernetesStoreOptions {
  readonly runtime: Runtime;
  readonly access: KubernetesAccess;
  readonly namespace: string;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number;
}

const labelPrefix = 'heddle.dev/config-';
const managedBy = { 'app.kubernetes.io/managed-by': 'heddle' } as const;
/** Versions that are asked for at a time: few at first, since mostly there is one that is new. */
const [fewest, most] = [2, 16];

/**
 * The config centre in Kubernetes: an immutable ConfigMap for each version. The right to get, list, watch and create
 * ConfigMaps of its namespace is all that it needs.
 */
export class KubernetesStore implements ConfigStore {
  readonly name = 'kubernetes';
  readonly #runtime: Runtime;
  readonly #client: KubernetesClient;
  readonly #path: string;
  /** The newest version that was seen of each place: it spares the listing of all. */
  readonly #seen = new Map<string, number>();

  constructor({ runtime, access, namespace, timeoutMs = 6000 }: KubernetesStoreOptions) {
    this.#runtime = runtime;
    this.#client = new KubernetesClient({ runtime, access, timeoutMs });
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`;
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    const seen = this.#seen.get(placeText(place)) ?? 0;
    const known = seen === 0 ? undefined : await this.#one(place, seen);
    const from = known === undefined ? await this.#listed(place) : seen;
    const newer = await this.read(place, from, Number.MAX_SAFE_INTEGER);
    return newer.at(-1) ?? known ?? (from === 0 ? undefined : this.#one(place, from));
  }

  /** By their names, which are known: no list of all is needed. */
  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const versions: ConfigVersion[] = [];
    for (let count = fewest; versions.length < limit; count = Math.min(most, count * 2)) {
      const first = after + versions.length + 1;
      const numbers = Array.from({ length: Math.min(count, limit - versions.length) }, (_, at) => first + at);
      const found = await Promise.all(numbers.map((number) => this.#one(place, number)));
      const end = found.indexOf(undefined);
      for (const one of end === -1 ? found : found.slice(0, end)) if (one !== undefined) versions.push(one);
      if (end !== -1) break;
    }
    const last = versions.at(-1);
    if (last !== undefined) this.#seen.set(placeText(place), last.version);
    return versions;
  }

  async append(version: ConfigVersion): Promise<void> {
    const { place, version: number } = version;
    if (number > 1 && (await this.#one(place, number - 1)) === undefined) throw versionConflict(version);
    const metadata = { name: nameOf(place, number), labels: { ...labelsOf(place), ...managedBy } };
    const json = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      immutable: true,
      data: { version: versionText(version) },
    };
    try {
      await this.#client.ask({ method: 'POST', path: this.#path, json });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      throw error.reason === 'CONFLICT' ? versionConflict(version) : error;
    }
  }

  async places(): Promise<readonly Place[]> {
    const { objects } = await listObjects(this.#client, { path: this.#path, labels: `${labelPrefix}group` });
    const texts = objects.map(({ metadata: { labels } }) =>
      ['environment', 'namespace', 'group'].map((part) => labels[labelPrefix + part] ?? '').join('/'),
    );
    return [...new Set(texts)].filter(isPlace).toSorted().map(readPlace);
  }

  wakes(place: Place, call: Call): AsyncIterable<void> {
    return toldWakes(call, ({ wake, fail }) => {
      const watching = call.child();
      const listener = { listed: wake, put: wake, removed: wake };
      const selection = this.#selection(place);
      watchObjects({ runtime: this.#runtime, client: this.#client, selection, listener }, watching).catch(
        (thrown: unknown) => fail(HeddleError.from(thrown)),
      );
      return () => {
        watching.cancel(
          new HeddleError({ code: 'cancelled', reason: 'LEFT', message: 'nobody listens any more' }),
        );
        watching.end();
      };
    });
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** The newest version by a list of all. */
  async #listed(place: Place): Promise<number> {
    const { objects } = await listObjects(this.#client, this.#selection(place));
    return Math.max(0, ...objects.map(({ metadata: { name } }) => Number(name.split('.').at(-1))));
  }

  async #one(place: Place, number: number): Promise<ConfigVersion | undefined> {
    const path = `${this.#path}/${nameOf(place, number)}`;
    try {
      const { data } = membersOf(await this.#client.ask({ method: 'GET', path }));
      return readVersion(String(membersOf(data)['version']), `Kubernetes, ${path}`);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'not_found') return undefined;
      throw error;
    }
  }

  #selection(place: Place): Selection {
    const labels = Object.entries(labelsOf(place)).map(([name, value]) => `${name}=${value}`);
    return { path: this.#path, labels: labels.join(',') };
  }
}

function labelsOf(place: Place): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(place).map(([part, value]) => [labelPrefix + part, value]));
}

/** No part has a dot in it, so each name has one meaning. */
function nameOf({ environment, namespace, group }: Place, version: number): string {
  return ['heddle-config', environment, namespace, group, version].join('.');
}
