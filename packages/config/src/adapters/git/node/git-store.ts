import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { isPlace, type Place, placeText, readPlace } from '../../../place/place.ts';
import type { ConfigStore } from '../../../store/config-store.ts';
import { toldWakes, type WakeListener } from '../../../store/told-wakes.ts';
import { versionConflict } from '../../../store/version-conflict.ts';
import { type Action, actions, type ConfigVersion } from '../../../version/version.ts';
import { documentText, readDocument } from '../config-document.ts';
import { type FileCommit, logArguments, readBatch, readLog } from '../git-history.ts';
import { git, gitBytes } from './git-command.ts';

/** Where the store is. */
export interface GitStoreOptions {
  readonly runtime: Runtime;
  /** A bare repository (`git init --bare`, `git clone --bare`): nobody's work lies in it that would be overtaken. */
  readonly folder: string;
  /** Default `main`. */
  readonly branch?: string;
  /** The name of a remote that is fetched before each look and pushed to with each change. Default: none. */
  readonly remote?: string;
  /** How often the branch is looked at. Default 5000 with a remote, else 500. */
  readonly lookMs?: number;
}

/** The versions of a place up to a commit of the branch; without one there is none. */
interface PlaceHistory {
  readonly tip: string | undefined;
  readonly versions: readonly ConfigVersion[];
}

const actionTrailer = 'Heddle-Action';
const address = 'config@heddle.invalid';
const attempts = 5;

/**
 * The config centre in git: a YAML file `environment/namespace/group.yaml` for each place, and a version for each commit
 * on the branch that changed it (merges count once), whoever made it: GitOps is a merge here. A commit whose file is not
 * good keeps the values of the version before it, is logged, and says so in its comment. A branch that is rewritten is
 * refused (`HISTORY_REWRITTEN`), since versions never change.
 */
export class GitStore implements ConfigStore {
  readonly name = 'git';
  readonly #options: GitStoreOptions;
  readonly #branch: string;
  /** What was read of each place, up to a commit of the branch. */
  readonly #read = new Map<string, PlaceHistory>();

  readonly #listeners = new Set<WakeListener>();
  #timer: Timer | undefined;
  #lastTip: string | undefined;
  #asking: Promise<string | undefined> | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #isBare = false;

  constructor(options: GitStoreOptions) {
    this.#options = options;
    this.#branch = options.branch ?? 'main';
  }

  async head(place: Place): Promise<ConfigVersion | undefined> {
    return (await this.#versions(place)).versions.at(-1);
  }

  async read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]> {
    return (await this.#versions(place)).versions.slice(after, after + limit);
  }

  async append(version: ConfigVersion): Promise<void> {
    for (let tried = 1; ; tried++) {
      const { tip, versions: before } = await this.#versions(version.place);
      if (before.length !== version.version - 1) throw versionConflict(version);
      const text = documentText(version);
      if (documentText(before.at(-1) ?? { values: {} }) === text) throw nothingChanged(version);
      if (await this.#committed(version, text, tip)) return;
      // Somebody else was first, perhaps with another file.
      if (tried >= attempts) throw versionConflict(version);
    }
  }

  async places(): Promise<readonly Place[]> {
    const tip = await this.#tip();
    if (tip === undefined) return [];
    const files = (await this.#git(['ls-tree', '-r', '-z', '--name-only', tip])).split('\0');
    const texts = files
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.slice(0, -'.yaml'.length));
    return texts.filter(isPlace).toSorted().map(readPlace);
  }

  wakes(_place: Place, call: Call): AsyncIterable<void> {
    return toldWakes(call, (listener) => {
      this.#listeners.add(listener);
      if (this.#listeners.size === 1) this.#look();
      return () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#timer?.cancel();
      };
    });
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
  }

  /** Looks now and then for all who follow anything. */
  #look(): void {
    const { runtime, remote, lookMs = remote === undefined ? 500 : 5000 } = this.#options;
    this.#timer?.cancel();
    this.#timer = runtime.timers.after(lookMs, () => {
      const tell = async (): Promise<void> => {
        try {
          const tip = await this.#tip();
          if (tip !== this.#lastTip) for (const { wake } of this.#listeners) wake();
          this.#lastTip = tip;
        } catch (thrown) {
          for (const { fail } of this.#listeners) fail(HeddleError.from(thrown));
        }
        if (this.#listeners.size > 0) this.#look();
      };
      void tell();
    });
  }

  /** The newest commit; undefined while there is none. Whoever asks at one time is answered together. */
  #tip(): Promise<string | undefined> {
    this.#asking ??= this.#askTip().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askTip(): Promise<string | undefined> {
    const { remote, folder } = this.#options;
    if (remote !== undefined) await this.#fetch(remote);
    if (!this.#isBare && (await this.#git(['rev-parse', '--is-bare-repository'])).trim() !== 'true')
      throw notBare(folder);
    this.#isBare = true;
    const id = await this.#git(['for-each-ref', '--format=%(objectname)', `refs/heads/${this.#branch}`]);
    return id.trim() || undefined;
  }

  async #fetch(remote: string): Promise<void> {
    const ref = `refs/heads/${this.#branch}`;
    try {
      await this.#git(['fetch', '--quiet', remote, `${ref}:${ref}`]);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (/couldn't find remote ref/.test(error.message)) return;
      if (/non-fast-forward|rejected/.test(error.message)) throw rewritten(this.#branch);
      throw error.with({ code: 'unavailable', reason: 'REMOTE_UNREACHABLE' });
    }
  }

  /** One reading after another, so that what one has read the next does not read again. */
  async #versions(place: Place): Promise<PlaceHistory> {
    const tip = await this.#tip();
    const read = (): Promise<PlaceHistory> => this.#readTo(place, tip);
    const reading = this.#reading.then(read, read);
    this.#reading = reading;
    return reading;
  }

  async #readTo(place: Place, tip: string | undefined): Promise<PlaceHistory> {
    const text = placeText(place);
    const known = this.#read.get(text) ?? { tip: undefined, versions: [] };
    if (known.tip === tip) return known;
    if (tip === undefined) throw rewritten(this.#branch);
    if (known.tip !== undefined && !(await this.#isAncestor(known.tip, tip))) {
      // Another reading may have gone further meanwhile.
      if (await this.#isAncestor(tip, known.tip)) return known;
      throw rewritten(this.#branch);
    }
    const range = known.tip === undefined ? tip : `${known.tip}..${tip}`;
    const commits = readLog(await this.#git([...logArguments, range, '--', `${text}.yaml`]));
    const texts = await this.#blobs(commits.map(({ blob }) => blob));
    const versions = [...known.versions];
    for (const [index, commit] of commits.entries())
      versions.push(this.#version(place, commit, texts[index], versions));
    const history = { tip, versions };
    this.#read.set(text, history);
    return history;
  }

  /** The contents of blobs; undefined for a file that was taken away. */
  async #blobs(ids: readonly (string | undefined)[]): Promise<readonly (string | undefined)[]> {
    const wanted = ids.filter((id) => id !== undefined);
    if (wanted.length === 0) return ids.map(() => undefined);
    const run = {
      folder: this.#options.folder,
      args: ['cat-file', '--batch'],
      input: `${wanted.join('\n')}\n`,
    };
    const texts = readBatch(await gitBytes(run));
    return ids.map((id) => (id === undefined ? undefined : texts.get(id)));
  }

  #version(
    place: Place,
    { id, author, atMs, message }: FileCommit,
    text: string | undefined,
    before: readonly ConfigVersion[],
  ): ConfigVersion {
    const [, said] = new RegExp(`^${actionTrailer}: (.*)$`, 'm').exec(message) ?? [];
    const action: Action = actions.find((one) => one === said) ?? 'publish';
    const comment = message.replace(new RegExp(`\\n*^${actionTrailer}: .*$`, 'm'), '').trim();
    const made = { place, version: before.length + 1, author, atMs, action };
    try {
      const document =
        text === undefined
          ? { values: {} }
          : readDocument(text, `${placeText(place)}.yaml in ${id.slice(0, 12)}`);
      return { ...made, comment: comment.slice(0, 1000), ...document };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason !== 'BAD_DOCUMENT') throw error;
      this.#options.runtime.log(
        'error',
        'a commit to the configuration is not good; what was there before stays',
        {
          commit: id,
          error: error.message,
        },
      );
      const { values, gray } = before.at(-1) ?? { values: {}, gray: undefined };
      const shown = `[not taken: ${error.message}] ${comment}`.slice(0, 1000);
      return { ...made, comment: shown, values, ...(gray !== undefined && { gray }) };
    }
  }

  /** Makes a commit on top of `tip` and moves the branch to it; false if that has moved meanwhile. */
  async #committed(version: ConfigVersion, text: string, tip: string | undefined): Promise<boolean> {
    const { remote } = this.#options;
    const ref = `refs/heads/${this.#branch}`;
    try {
      if (remote === undefined) await this.#import(importOf(version, text, ref, tip));
      else await this.#pushed(version, text, tip, remote, ref);
      return true;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (/does not contain|cannot lock ref|rejected|failed to push/.test(error.message)) return false;
      throw error;
    }
  }

  /** The remote decides: the branch moves here once it has moved there. */
  async #pushed(
    version: ConfigVersion,
    text: string,
    tip: string | undefined,
    remote: string,
    ref: string,
  ): Promise<void> {
    const scratch = `refs/heddle/${this.#options.runtime.random.uuid()}`;
    await this.#import(importOf(version, text, scratch, tip));
    try {
      await this.#git(['push', '--quiet', remote, `${scratch}:${ref}`]);
      await this.#git(['fetch', '--quiet', '.', `${scratch}:${ref}`]);
    } finally {
      await this.#git(['update-ref', '-d', scratch]);
    }
  }

  async #import(input: string): Promise<void> {
    await git({ folder: this.#options.folder, args: ['fast-import', '--quiet', '--date-format=raw'], input });
  }

  async #isAncestor(old: string, tip: string): Promise<boolean> {
    return (await this.#git(['rev-list', '--count', old, `^${tip}`])).trim() === '0';
  }

  #git(args: readonly string[]): Promise<string> {
    return git({ folder: this.#options.folder, args });
  }
}

/** What `git fast-import` reads: one commit with one file. */
function importOf(version: ConfigVersion, text: string, ref: string, tip: string | undefined): string {
  const { author, atMs, place, comment, action } = version;
  const name = author.replaceAll(/[<>\n\r\0]/g, ' ').trim() || 'unknown';
  const when = `${Math.floor(atMs / 1000)} +0000`;
  const message = `${comment || `${action} ${placeText(place)}`}\n\n${actionTrailer}: ${action}\n`;
  return [
    `commit ${ref}`,
    `author ${name} <${address}> ${when}`,
    `committer Heddle <${address}> ${when}`,
    dataOf(message),
    ...(tip === undefined ? [] : [`from ${tip}`]),
    `M 100644 inline ${placeText(place)}.yaml`,
    dataOf(text),
    '',
  ].join('\n');
}

function dataOf(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function nothingChanged({ place }: ConfigVersion): HeddleError {
  const message = `${placeText(place)}: the change would change nothing, and git has no version for that`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NOTHING_CHANGED', message, sent: false });
}

function notBare(folder: string): HeddleError {
  const message = `expected a bare repository, found one with a work tree, which would be overtaken: "${folder}"; make one with git clone --bare`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NOT_BARE', message, sent: false });
}

function rewritten(branch: string): HeddleError {
  const message = `the branch ${branch} was rewritten: versions that were seen are not in it; what is in use stays. Put the commits back, or start anew`;
  return new HeddleError({ code: 'failed_precondition', reason: 'HISTORY_REWRITTEN', message });
}
