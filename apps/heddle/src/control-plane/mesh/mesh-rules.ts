import { analyze } from '@heddle/mesh/analyze';
import type { MeshModel } from '@heddle/mesh/model';
import {
  type Finding,
  loadResources,
  ofType,
  type Resource,
  type ResourceFile,
} from '@heddle/mesh/resources';
import { MeshTranslation } from '@heddle/mesh/translate';
import type { InstanceChanges } from './registry-instances.ts';
import type { RuleVerdicts } from './rule-source.ts';

/** The scope of a mesh's rules, as `heddle analyze` takes it. */
export interface RulesScope {
  readonly namespace?: string;
  readonly rootNamespace?: string;
  readonly trustDomain?: string;
}

/** What is in force, and why the newest is not. */
export interface RulesView {
  /** Counts the sets of rules that were taken. 0: none yet. */
  readonly version: number;
  readonly takenAtMs: number | undefined;
  readonly objects: number;
  /** Of what is in force: warnings and notes. */
  readonly findings: readonly Finding[];
  /** What is wrong with the newest, which is not in force. */
  readonly refused: { readonly atMs: number; readonly findings: readonly Finding[] } | undefined;
}

/**
 * The rules of a mesh from its files: a set with an error is refused as a whole, and the last good one stays. Where
 * objects come one by one (`isPerObject`), one with an error is refused alone, and its own last good one stays.
 */
export class MeshRules {
  readonly #scope: RulesScope;
  readonly #onModel: (model: MeshModel) => void;
  readonly #translation: MeshTranslation;
  #files: readonly ResourceFile[] = [];
  #resources: readonly Resource[] = [];
  #keyPlaces: ReadonlySet<string> = new Set();
  #view: RulesView = { version: 0, takenAtMs: undefined, objects: 0, findings: [], refused: undefined };

  /** `keysAt`: the key sets that `jwksUri` of rules name, as far as they are known. */
  constructor(
    scope: RulesScope,
    onModel: (model: MeshModel) => void,
    keysAt: (uri: string) => string | undefined = () => undefined,
  ) {
    this.#scope = scope;
    this.#translation = new MeshTranslation({ ...scope, keysAt });
    this.#onModel = onModel;
  }

  /** What is in force. */
  get view(): RulesView {
    return this.#view;
  }

  /** The files that are in force. */
  get files(): readonly ResourceFile[] {
    return this.#files;
  }

  /** Takes what it can of files of which each is for itself, and says what is wrong with the others. */
  offerEach(files: readonly ResourceFile[], wallMs: number): RuleVerdicts {
    const { findings, objects } = analyze(files, { ...this.#scope, partial: true });
    const errors = findings.filter(({ severity }) => severity === 'error');
    const wrong = Map.groupBy(errors, ({ file }) => file);
    const before = new Map(this.#files.map((each) => [each.file, each]));
    const good = files.flatMap((each) => (wrong.has(each.file) ? (before.get(each.file) ?? []) : [each]));
    const isOther = this.#view.version === 0 || !sameFiles(good, this.#files);
    this.#view = {
      ...this.#view,
      objects,
      findings: findings.filter(({ severity }) => severity !== 'error'),
      refused: errors.length === 0 ? undefined : { atMs: wallMs, findings: errors },
    };
    if (isOther) this.#take(good, wallMs);
    return new Map(
      [...wrong].map(([file, own]) => [file, own.map(({ code, message }) => `${code}: ${message}`)]),
    );
  }

  /** Takes another set of files, or refuses it. True if it is in force now. */
  offer(files: readonly ResourceFile[], wallMs: number): boolean {
    if (this.#view.version > 0 && sameFiles(files, this.#files) && this.#view.refused === undefined)
      return true;
    const { findings, objects } = analyze(files, { ...this.#scope, partial: true });
    if (findings.some(({ severity }) => severity === 'error')) {
      this.#view = { ...this.#view, refused: { atMs: wallMs, findings } };
      return false;
    }
    this.#view = { ...this.#view, objects, findings, refused: undefined };
    this.#take(files, wallMs);
    return true;
  }

  /** Where the rules in force say that keys are: the same set as long as they are the same rules. */
  get keyPlaces(): ReadonlySet<string> {
    return this.#keyPlaces;
  }

  /** The same rules once more: keys have changed. */
  again(): void {
    if (this.#view.version > 0) this.#onModel(this.#translation.rules(this.#resources));
  }

  #take(files: readonly ResourceFile[], wallMs: number): void {
    this.#files = files;
    this.#view = { ...this.#view, version: this.#view.version + 1, takenAtMs: wallMs };
    this.#resources = loadResources(files, this.#scope).resources;
    this.#keyPlaces = keyPlacesIn(this.#resources);
    this.#onModel(this.#translation.rules(this.#resources));
  }

  /** What runs has changed. */
  running(changes: InstanceChanges): void {
    const before = this.#translation.model;
    const model = this.#translation.instances(changes);
    if (model !== before) this.#onModel(model);
  }
}

function keyPlacesIn(resources: readonly Resource[]): ReadonlySet<string> {
  const rules = ofType(resources, 'RequestAuthentication').flatMap(({ spec }) => spec.jwtRules ?? []);
  return new Set(
    rules.flatMap(({ jwks, jwksUri }) => (jwks === undefined && jwksUri !== undefined ? [jwksUri] : [])),
  );
}

function sameFiles(a: readonly ResourceFile[], b: readonly ResourceFile[]): boolean {
  return (
    a.length === b.length && a.every(({ file, text }, at) => b[at]?.file === file && b[at]?.text === text)
  );
}
