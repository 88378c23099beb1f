import type { Call, Runtime, Timer } from '@heddle/kernel';
import { emptyModel, type MeshModel } from '../model/index.ts';
import { type OwnLimit, ownLimits } from './own-limits.ts';
import { changesOf, type ModelParts, versionOf } from './model-parts.ts';
import type { ModelAnswer, ModelQuestion, OwnPlane, PartRefusal } from './plane-messages.ts';
import { ScopedParts } from './scoped-parts.ts';

/** What is known of a plane that asks. */
export interface PlaneView {
  readonly plane: OwnPlane;
  readonly node: string;
  readonly workload: string;
  /** The version that it has taken; empty: none yet. */
  readonly acknowledged: string;
  /** The one that there is for it. */
  readonly current: string;
  readonly refused: readonly PartRefusal[];
}

/** What a feed is made from. */
export interface ModelFeedOptions {
  readonly runtime: Runtime;
  readonly trustDomain: string;
  /** Changes are gathered until nothing has changed for so long. Default 20. */
  readonly quietMs?: number;
  /** And no longer than this. Default 500. */
  readonly longestMs?: number;
}

/** Versions of a workload that a plane may still have; of an older one it gets all anew. */
const keptVersions = 8;

/** A plane that has not asked for so long is gone. Longer than it waits for an answer. */
const goneMs = 120_000;

/**
 * Hands a model out to our own planes: each asks for what is newer than what it has, and gets the parts that have changed.
 * The next question acknowledges, and tells what was refused. Nothing is kept for a plane but what makes answers small, so
 * it may ask any control plane of the mesh each time.
 */
export class ModelFeed {
  readonly #options: ModelFeedOptions;
  readonly #workloads = new Map<string, FedWorkload>();
  readonly #planes = new Map<string, { readonly question: ModelQuestion; readonly atMs: number }>();
  #model: MeshModel;
  #scoped: ScopedParts;
  #changedSinceMs: number | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ModelFeedOptions) {
    this.#options = options;
    this.#model = emptyModel(options.trustDomain);
    this.#scoped = new ScopedParts(this.#model);
  }

  /** Hands another model out, once it is quiet. */
  update(model: MeshModel): void {
    if (model === this.#model || this.#closed) return;
    const { clock, timers } = this.#options.runtime;
    const { quietMs = 20, longestMs = 500 } = this.#options;
    this.#model = model;
    this.#changedSinceMs ??= clock.nowMs();
    this.#timer?.cancel();
    const leftMs = this.#changedSinceMs + longestMs - clock.nowMs();
    this.#timer = timers.after(Math.max(0, Math.min(quietMs, leftMs)), () => this.#publish());
  }

  /** Answers when there is something newer, or when the question has waited enough, or this feed is closed. */
  async ask(question: ModelQuestion, call: Call): Promise<ModelAnswer> {
    const { workload: name, have, waitMs, node, plane } = question;
    const { clock } = this.#options.runtime;
    this.#planes.set(`${plane} ${node} ${name}`, { question, atMs: clock.nowMs() });
    this.#forget();
    const workload = this.#workloads.get(name) ?? new FedWorkload(this.#scoped.of(name));
    this.#workloads.set(name, workload);
    const untilMs = clock.nowMs() + waitMs;
    while (workload.version === have && clock.nowMs() < untilMs && !this.#closed)
      if (!(await workload.changed(this.#options.runtime, untilMs - clock.nowMs(), call))) break;
    return workload.answer(have);
  }

  /** Who has asked lately, and what each has taken. */
  get planes(): readonly PlaneView[] {
    this.#forget();
    return [...this.#planes.values()].map(({ question }) => ({
      plane: question.plane,
      node: question.node,
      workload: question.workload,
      acknowledged: question.have,
      current: this.#workloads.get(question.workload)?.version ?? '',
      refused: question.refused,
    }));
  }

  /** What planes that ask cannot do of the rules. */
  get inexpressible(): readonly OwnLimit[] {
    return this.planes.some(({ plane }) => plane === 'proxy') ? ownLimits(this.#model) : [];
  }

  /** Lets go of all who wait: they go to another control plane. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const workload of this.#workloads.values()) workload.wake();
  }

  #publish(): void {
    this.#changedSinceMs = undefined;
    this.#scoped = new ScopedParts(this.#model);
    for (const [name, workload] of this.#workloads) workload.become(this.#scoped.of(name));
  }

  #forget(): void {
    const nowMs = this.#options.runtime.clock.nowMs();
    let hasGone = false;
    for (const [key, { atMs }] of this.#planes)
      if (nowMs - atMs > goneMs) hasGone = this.#planes.delete(key) || hasGone;
    if (!hasGone) return;
    const used = new Set([...this.#planes.values()].map(({ question }) => question.workload));
    for (const name of this.#workloads.keys()) if (!used.has(name)) this.#workloads.delete(name);
  }
}

/** What one workload is to have, and who waits for that. */
class FedWorkload {
  readonly #versions = new Map<string, ModelParts>();
  readonly #waiting = new Set<() => void>();
  #parts: ModelParts;
  version: string;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.version = versionOf(parts);
    this.#versions.set(this.version, parts);
  }

  become(parts: ModelParts): void {
    const version = versionOf(parts);
    if (version === this.version) return;
    this.#parts = parts;
    this.version = version;
    this.#versions.delete(version);
    this.#versions.set(version, parts);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > keptVersions && oldest !== undefined) this.#versions.delete(oldest);
    this.wake();
  }

  answer(have: string): ModelAnswer {
    if (have === this.version) return { version: have, base: have, put: {}, drop: [] };
    const base = this.#versions.get(have);
    const changes = changesOf(base ?? new Map(), this.#parts);
    return { version: this.version, base: base === undefined ? '' : have, ...changes };
  }

  /** True if there is something else; false if that took too long, or nobody waits any more. */
  changed({ timers }: Runtime, withinMs: number, call: Call): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (isChanged: boolean): void => {
        this.#waiting.delete(wake);
        timer.cancel();
        stopListening();
        resolve(isChanged);
      };
      const wake = (): void => done(true);
      const timer = timers.after(withinMs, () => done(false));
      const stopListening = call.onCancel(() => queueMicrotask(() => done(false)));
      this.#waiting.add(wake);
    });
  }

  wake(): void {
    for (const each of this.#waiting) each();
  }
}
