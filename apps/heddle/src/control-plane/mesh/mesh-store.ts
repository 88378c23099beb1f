import { type ConfigStore, follow, openConfigStore, type Place } from '@heddle/config';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
import type { RuleSource } from './rule-source.ts';

/** Where the rules are in a store of the config centre: one version of them after the other. */
const rulesPlace: Place = { environment: 'mesh', namespace: 'heddle', group: 'rules' };

/** The stores that `--mesh` takes, by how their URLs begin. */
export const storeUrl: RegExp = /^(etcd|consul|postgres|postgresql)(\+tls)?:/;

/** Opens it. `secret`: a token or password of the store. Rejects as `openConfigStore` does. */
export async function meshStore(
  url: string,
  { runtime, secret }: { readonly runtime: Runtime; readonly secret: string | undefined },
): Promise<MeshStore> {
  const store = await openConfigStore(url, {
    runtime,
    secret,
    readText: () => Promise.reject(new Error('not by this program')),
    variable: (name) => process.env[name],
  });
  return new MeshStore(store, runtime);
}

/**
 * The rules of a mesh in a store that several control planes share: each serves what is there, and each may be asked to
 * change it. While the store cannot be asked, what was read last stays in force.
 */
export class MeshStore implements RuleSource {
  readonly isPerObject = false;
  readonly drift: readonly string[] = [];
  readonly store: ConfigStore;
  readonly #runtime: Runtime;
  #version = 0;

  constructor(store: ConfigStore, runtime: Runtime) {
    this.store = store;
    this.#runtime = runtime;
  }

  get name(): string {
    return `store ${this.store.name}`;
  }

  get revision(): string {
    return String(this.#version);
  }

  async read(): Promise<readonly ResourceFile[]> {
    const head = await this.store.head(rulesPlace);
    this.#version = head?.version ?? 0;
    return Object.entries(head?.values ?? {})
      .map(([file, text]) => ({ file, text: typeof text === 'string' ? text : JSON.stringify(text) }))
      .toSorted((a, b) => (a.file < b.file ? -1 : 1));
  }

  watch(changed: () => void): () => void {
    const call = Call.root(this.#runtime);
    const run = async (): Promise<void> => {
      for await (const { version } of follow(this.store, rulesPlace, this.#version, call, {
        runtime: this.#runtime,
      }))
        if (version > this.#version) changed();
    };
    run().catch(() => {});
    return () => {
      call.cancel(new HeddleError({ code: 'cancelled', reason: 'CLOSED', message: 'the mesh is closed' }));
      call.end();
    };
  }

  async write(
    files: readonly ResourceFile[],
    { author, comment, expected }: { author: string; comment: string; expected: string | undefined },
  ): Promise<string> {
    const version = Number(expected ?? (await this.store.head(rulesPlace))?.version ?? 0) + 1;
    await this.store.append({
      place: rulesPlace,
      version,
      author,
      comment,
      atMs: this.#runtime.clock.wallMs(),
      action: 'publish',
      values: Object.fromEntries(files.map(({ file, text }) => [file, text])),
    });
    return String(version);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
