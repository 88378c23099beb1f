import { analyze } from '@heddle/mesh/analyze';
import type { MeshModel } from '@heddle/mesh/model';
import { type Finding, loadResources, type ResourceFile } from '@heddle/mesh/resources';
import { type MeshInstance, translate } from '@heddle/mesh/translate';

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

/** The rules of a mesh from its files: a set with an error is refused as a whole, and the last good one stays. */
export class MeshRules {
  readonly #scope: RulesScope;
  readonly #onModel: (model: MeshModel) => void;
  #files: readonly ResourceFile[] = [];
  #instances: readonly MeshInstance[] = [];
  #model: MeshModel | undefined;
  #view: RulesView = { version: 0, takenAtMs: undefined, objects: 0, findings: [], refused: undefined };

  constructor(scope: RulesScope, onModel: (model: MeshModel) => void) {
    this.#scope = scope;
    this.#onModel = onModel;
  }

  /** What is in force. */
  get view(): RulesView {
    return this.#view;
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
    this.#files = files;
    const version = this.#view.version + 1;
    this.#view = { version, takenAtMs: wallMs, objects, findings, refused: undefined };
    this.#translate();
    return true;
  }

  /** What runs has changed. */
  running(instances: readonly MeshInstance[]): void {
    this.#instances = instances;
    if (this.#view.version > 0) this.#translate();
  }

  #translate(): void {
    const { resources } = loadResources(this.#files, this.#scope);
    const options = { ...this.#scope, instances: this.#instances };
    const model = translate(resources, options, this.#model);
    this.#model = model;
    this.#onModel(model);
  }
}

function sameFiles(a: readonly ResourceFile[], b: readonly ResourceFile[]): boolean {
  return (
    a.length === b.length && a.every(({ file, text }, at) => b[at]?.file === file && b[at]?.text === text)
  );
}
