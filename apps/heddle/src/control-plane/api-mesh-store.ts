import { createHash } from 'node:crypto';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { analyze } from '@heddle/mesh/analyze';
import type { Finding, ResourceFile } from '@heddle/mesh/resources';
import type { MeshPlaceKind } from './mesh/mesh-source.ts';

/** Texts by the names of the files that are to hold them, and files that are to go. */
export interface MeshFilesChange {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** The files that hold the rules of a mesh. Names are relative to where they lie. */
export interface MeshFiles {
  /** For people. */
  readonly place: string;
  readonly kind: MeshPlaceKind;
  /** The name of a file that others call by its whole path. */
  nameOf(file: string): string;
  read(): Promise<readonly ResourceFile[]>;
  /** Undefined: they are changed where they come from, and only shown here. */
  readonly change?: (change: MeshFilesChange, words: { who: string; why: string }) => Promise<void>;
}

/** The scope of the rules, as `heddle analyze` takes it. */
export interface MeshScope {
  readonly namespace?: string;
  readonly rootNamespace?: string;
  readonly trustDomain?: string;
}

/** A set of files that was published, or was found when somebody else had changed it. */
export interface MeshVersion {
  /** From 1. */
  readonly id: number;
  readonly atMs: number;
  /** Empty: changed outside of the console. */
  readonly who: string;
  readonly why: string;
  readonly files: readonly ResourceFile[];
  readonly digest: string;
}

/** A change of one file; an undefined text removes it. */
export interface MeshChange {
  readonly file: string;
  readonly text: string | undefined;
}

/** On whose word. */
export interface MeshWords {
  readonly who: string;
  readonly why: string;
  /** The digest of the set that the change was made for; undefined: whatever is there. */
  readonly expected?: string | undefined;
}

const folder = 'console/mesh';
const kept = 100;
const mayRegister = /HOST_NOT_FOUND$|SELECTS_NOTHING$/;
const nameForm = /^[\w-][\w.-]*(\/[\w-][\w.-]*){0,8}\.(yaml|yml|json)$/;

/** The rules of a mesh with what they were before: publishes a change if its analysis has no error, and goes back. */
export class MeshStore {
  readonly #runtime: Runtime;
  readonly #files: MeshFiles;
  readonly #scope: MeshScope;
  #versions: MeshVersion[];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(runtime: Runtime, files: MeshFiles, scope: MeshScope, versions: MeshVersion[]) {
    this.#runtime = runtime;
    this.#files = files;
    this.#scope = scope;
    this.#versions = versions;
  }

  /** Reads the versions that there are in the data folder. Rejects with `data_loss` / `BAD_MESH_HISTORY`. */
  static async open(runtime: Runtime, files: MeshFiles, scope: MeshScope): Promise<MeshStore> {
    const names = (await runtime.disk.list(folder)).filter((name) => /^\d+\.json$/.test(name));
    const versions = await Promise.all(
      names.map(async (name) => versionIn(name, await runtime.disk.read(`${folder}/${name}`))),
    );
    return new MeshStore(
      runtime,
      files,
      scope,
      versions.toSorted((a, b) => a.id - b.id),
    );
  }

  get place(): string {
    return this.#files.place;
  }

  get kind(): MeshPlaceKind {
    return this.#files.kind;
  }

  /** Whether they can be changed from here. */
  get isWritable(): boolean {
    return this.#files.change !== undefined;
  }

  get scope(): MeshScope {
    return this.#scope;
  }

  /** The newest last. */
  get versions(): readonly MeshVersion[] {
    return this.#versions;
  }

  /** What lies there now. */
  read(): Promise<readonly ResourceFile[]> {
    return this.#files.read();
  }

  /** A finding of those who call files by their whole path. */
  named(finding: Finding): Finding {
    return { ...finding, file: this.#files.nameOf(finding.file) };
  }

  /** The set as a change would make it, with what an analysis finds in it. Throws `BAD_INPUT` for a bad name. */
  changed(
    now: readonly ResourceFile[],
    { file, text }: MeshChange,
  ): { readonly files: readonly ResourceFile[]; readonly findings: readonly Finding[] } {
    if (!nameForm.test(file)) throw badName(file);
    const others = now.filter((each) => each.file !== file);
    const files = text === undefined ? others : [...others, { file, text }].toSorted(byName);
    return { files, findings: this.#analysed(files) };
  }

  /**
   * What is not in the files may still be there, from another source: its absence is a warning. Hosts and workloads, which
   * mostly register themselves, are not missed at all.
   */
  #analysed(files: readonly ResourceFile[]): readonly Finding[] {
    const keyOf = ({ code, file, line, column, message }: Finding): string =>
      `${code} ${file}:${line}:${column} ${message}`;
    const sure = new Set(analyze(files, { ...this.#scope, partial: true }).findings.map(keyOf));
    return analyze(files, this.#scope).findings.flatMap((found) => {
      if (sure.has(keyOf(found))) return [found];
      return mayRegister.test(found.code) ? [] : [{ ...found, severity: 'warning' as const }];
    });
  }

  /**
   * Rejects with `invalid_argument` / `BAD_RULES` and every error, with `aborted` / `VERSION_CONFLICT`, and with
   * `failed_precondition` / `RULES_ELSEWHERE` where they are only shown.
   */
  publish(change: MeshChange, words: MeshWords): Promise<MeshVersion> {
    return this.#inTurn(async () => {
      const now = await this.#seen(words.expected);
      const { files, findings } = this.changed(now, change);
      const errors = findings.filter(({ severity }) => severity === 'error');
      if (errors.length > 0) throw badRules(errors);
      return this.#replace(now, files, words);
    });
  }

  /** The files of a version again, as a new one. Rejects with `not_found` / `NO_SUCH_VERSION`. */
  rollback(to: number, words: MeshWords): Promise<MeshVersion> {
    return this.#inTurn(async () => {
      const wanted = this.#versions.find(({ id }) => id === to);
      if (wanted === undefined) throw noVersion(to);
      const now = await this.#seen(words.expected);
      const why = words.why === '' ? `rollback to ${to}` : `rollback to ${to}: ${words.why}`;
      return this.#replace(now, wanted.files, { ...words, why });
    });
  }

  async #seen(expected: string | undefined): Promise<readonly ResourceFile[]> {
    const now = await this.read();
    const digest = digestOf(now);
    if (expected !== undefined && expected !== digest) throw conflict();
    // What others have changed is a version too: a rollback must be able to lead to it.
    if (this.#versions.at(-1)?.digest !== digest) await this.#keep(now, { who: '', why: '' });
    return now;
  }

  async #replace(
    now: readonly ResourceFile[],
    next: readonly ResourceFile[],
    words: MeshWords,
  ): Promise<MeshVersion> {
    const { change, place } = this.#files;
    if (change === undefined) throw elsewhere(place);
    const before = new Map(now.map(({ file, text }) => [file, text]));
    const wanted = new Map(next.map(({ file, text }) => [file, text]));
    const set = new Map([...wanted].filter(([file, text]) => before.get(file) !== text));
    await change({ set, remove: [...before.keys()].filter((file) => !wanted.has(file)) }, words);
    return this.#keep(next, words);
  }

  async #keep(files: readonly ResourceFile[], { who, why }: MeshWords): Promise<MeshVersion> {
    const { disk, clock } = this.#runtime;
    const id = (this.#versions.at(-1)?.id ?? 0) + 1;
    const version = { id, atMs: clock.wallMs(), who, why, files, digest: digestOf(files) };
    await disk.replace(`${folder}/${id}.json`, new TextEncoder().encode(JSON.stringify(version)));
    this.#versions.push(version);
    for (const old of this.#versions.splice(0, Math.max(0, this.#versions.length - kept)))
      await disk.remove(`${folder}/${old.id}.json`);
    return version;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** Tells two sets of files apart. */
export function digestOf(files: readonly ResourceFile[]): string {
  const sorted = files
    .map(({ file, text }) => [file, text])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

function byName(a: ResourceFile, b: ResourceFile): number {
  return a.file < b.file ? -1 : 1;
}

function versionIn(name: string, bytes: Uint8Array | undefined): MeshVersion {
  try {
    const version = JSON.parse(new TextDecoder().decode(bytes)) as MeshVersion;
    if (Number.isInteger(version.id) && Array.isArray(version.files)) return version;
  } catch {
    // Said below.
  }
  const message = `the file ${folder}/${name} of the mesh's versions is damaged; remove it to go on without it`;
  throw new HeddleError({ code: 'data_loss', reason: 'BAD_MESH_HISTORY', message });
}

function badName(file: string): HeddleError {
  const message = `file: expected a name such as shop/order.yaml, found "${file.slice(0, 80)}"`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
}

function badRules(errors: readonly Finding[]): HeddleError {
  const lines = errors.map(({ file, line, code, message }) => `${file}:${line}: ${code}: ${message}`);
  const message = `the rules have ${errors.length === 1 ? 'an error' : `${errors.length} errors`}: ${lines.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_RULES', message, sent: false });
}

function elsewhere(place: string): HeddleError {
  const message = `the rules of this mesh come from ${place}: change them there`;
  return new HeddleError({ code: 'failed_precondition', reason: 'RULES_ELSEWHERE', message, sent: false });
}

function noVersion(id: number): HeddleError {
  const message = `there is no version ${id} of the rules`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_VERSION', message, sent: false });
}

function conflict(): HeddleError {
  const message = 'somebody has changed the rules since this change was begun; look at it again';
  return new HeddleError({ code: 'aborted', reason: 'VERSION_CONFLICT', message, sent: false });
}
