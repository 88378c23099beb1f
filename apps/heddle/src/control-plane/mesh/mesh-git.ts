import { git, gitBytes, readBatch } from '@heddle/config';
import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
import type { RuleSource } from './rule-source.ts';

/** Where in which repository the rules are. */
export interface MeshGitOptions {
  readonly runtime: Runtime;
  /** A clone or a bare repository. */
  readonly repository: string;
  readonly branch: string;
  /** Within the repository; empty: all of it. */
  readonly folder: string;
  /** Fetched from before each look; undefined: somebody else does. */
  readonly remote: string | undefined;
}

const [localMs, remoteMs] = [1000, 5000];

/**
 * Reads `git:/path/to/repository?branch=main&folder=deploy/mesh&remote=origin`. Throws `invalid_argument` / `BAD_MESH`
 * for what it does not know.
 */
export function meshGit(text: string, runtime: Runtime): RuleSource {
  const [, repository = '', query = ''] = /^git:(?:\/\/)?([^?#]+)(?:\?([^#]*))?$/.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].filter((name) => !['branch', 'folder', 'remote'].includes(name));
  if (repository === '' || unknown.length > 0) {
    const found = repository === '' ? 'no path of a repository' : unknown.join(', ');
    const message = `--mesh ${text}: expected git:/path?branch=main&folder=deploy/mesh&remote=origin, found ${found}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESH', message, sent: false });
  }
  return new MeshGit({
    runtime,
    repository,
    branch: parameters.get('branch') ?? 'main',
    folder: (parameters.get('folder') ?? '').replace(/^\/+|\/+$/g, ''),
    remote: parameters.get('remote') ?? undefined,
  });
}

/** The rules as they are committed to a branch. What only lies in a working tree is told as drift, and is not read. */
class MeshGit implements RuleSource {
  readonly name: string;
  readonly isPerObject = false;
  readonly #options: MeshGitOptions;
  #revision: string | undefined;
  #drift: readonly string[] = [];
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: MeshGitOptions) {
    this.#options = options;
    const { repository, branch, folder } = options;
    this.name = `git ${repository}, ${branch}${folder === '' ? '' : `, ${folder}`}`;
  }

  get revision(): string | undefined {
    return this.#revision;
  }

  get drift(): readonly string[] {
    return this.#drift;
  }

  async read(): Promise<readonly ResourceFile[]> {
    const { folder } = this.#options;
    const tip = await this.#tip();
    const within = folder === '' ? [] : ['--', `${folder}/`];
    const listed = await this.#git(['ls-tree', '-r', '-z', tip, ...within]);
    const blobs = listed.split('\0').flatMap((line) => {
      const [, id, file] = /^100\d+ blob ([0-9a-f]+)\t(.+\.(?:yaml|yml|json))$/s.exec(line) ?? [];
      return id === undefined || file === undefined ? [] : [{ id, file }];
    });
    const ids = [...new Set(blobs.map(({ id }) => id))];
    const texts =
      ids.length === 0
        ? new Map<string, string>()
        : readBatch(
            await gitBytes({
              folder: this.#options.repository,
              args: ['cat-file', '--batch'],
              input: `${ids.join('\n')}\n`,
            }),
          );
    this.#revision = tip;
    this.#drift = await this.#uncommitted(within);
    return blobs.map(({ id, file }) => ({ file, text: texts.get(id) ?? '' }));
  }

  watch(changed: () => void): () => void {
    const { runtime, remote } = this.#options;
    const look = async (): Promise<void> => {
      try {
        if (remote !== undefined) await this.#fetch(remote);
        const [tip, drift] = [await this.#tip(), await this.#uncommitted(this.#within())];
        const isOther = tip !== this.#revision || drift.join('\0') !== this.#drift.join('\0');
        if (isOther && !this.#closed) changed();
      } catch (thrown) {
        runtime.log('warn', 'the repository of the mesh cannot be asked; the rules of before stay in force', {
          message: HeddleError.from(thrown).message,
        });
      }
      if (!this.#closed) later();
    };
    const later = (): void => {
      this.#timer = runtime.timers.after(remote === undefined ? localMs : remoteMs, () => void look());
    };
    later();
    return () => {
      this.#closed = true;
      this.#timer?.cancel();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #tip(): Promise<string> {
    const { branch, remote } = this.#options;
    const ref = remote === undefined ? `refs/heads/${branch}` : `refs/remotes/${remote}/${branch}`;
    return (await this.#git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])).trim();
  }

  async #fetch(remote: string): Promise<void> {
    const { branch } = this.#options;
    await this.#git(['fetch', '--quiet', remote, `+refs/heads/${branch}:refs/remotes/${remote}/${branch}`]);
  }

  /** Of a bare repository nothing can be uncommitted. */
  async #uncommitted(within: readonly string[]): Promise<readonly string[]> {
    if ((await this.#git(['rev-parse', '--is-inside-work-tree'])).trim() !== 'true') return [];
    const said = await this.#git(['status', '--porcelain', '-z', '--no-renames', ...within]);
    return said
      .split('\0')
      .map((line) => line.slice(3))
      .filter((file) => /\.(yaml|yml|json)$/.test(file));
  }

  #within(): readonly string[] {
    return this.#options.folder === '' ? [] : ['--', `${this.#options.folder}/`];
  }

  #git(args: readonly string[]): Promise<string> {
    return git({ folder: this.#options.repository, args });
  }
}
