import { Call, HeddleError, type Part, type Runtime, settle, sleep } from '@heddle/kernel';
import type { MeshModel } from '../model/index.ts';
import { changed, type ModelParts, modelOfParts, versionOf } from './model-parts.ts';
import {
  type ModelAnswer,
  type ModelQuestion,
  type OwnPlane,
  type PartRefusal,
  readAnswer,
} from './plane-messages.ts';

/** Asks a control plane. Rejects where none answers. */
export type AskForModel = (question: ModelQuestion, call: Call) => Promise<ModelAnswer>;

/** What a follower is made from. */
export interface ModelFollowerOptions {
  /** Its disk keeps the last good copy. */
  readonly runtime: Runtime;
  readonly plane: OwnPlane;
  /** Who asks, for people. */
  readonly node: string;
  /** `namespace/name`. */
  readonly workload: string;
  readonly ask: AskForModel;
  /**
   * Does as the model says from now on, and gives what of it cannot be: there it goes on as it was. What has not changed
   * since the model before is the same object.
   */
  readonly apply: (model: MeshModel) => readonly PartRefusal[] | Promise<readonly PartRefusal[]>;
  /** Where the last good copy is kept; undefined: nowhere. */
  readonly file?: string;
  /** How long a control plane may take at the start before the kept copy is used. Default 3000. */
  readonly patienceMs?: number;
  /** How long to look for rules at the start where there is no copy. Default 30000. */
  readonly startMs?: number;
}

/** What a follower goes by now. */
export interface FollowerStatus {
  readonly version: string;
  readonly refused: readonly PartRefusal[];
  /** `control plane`: the newest that there is; `kept`: the last good copy, as no control plane answers. */
  readonly source: 'control plane' | 'kept';
  /** Why no control plane answers. */
  readonly problem: string | undefined;
}

const waitMs = 30_000;
/** What was refused may be possible a little later: a port that was taken, a file that was missing. */
const againMs = 5000;
/** What an answer may take beyond the wait that was asked for. */
const graceMs = 5000;

/** Follows the rules of a mesh for one workload: what is newer is applied, and kept for a time when nobody can be asked. */
export class ModelFollower implements Part {
  readonly name = 'mesh rules';
  readonly #options: ModelFollowerOptions;
  readonly #life: Call;
  #parts: ModelParts = new Map();
  #version = '';
  #refused: readonly PartRefusal[] = [];
  #source: FollowerStatus['source'] = 'kept';
  #problem: string | undefined;
  #failures = 0;
  #keeping: Promise<void> | undefined;
  #keepAgain = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ModelFollowerOptions) {
    this.#options = options;
    this.#life = Call.root(options.runtime);
  }

  /** What it goes by now. */
  get status(): FollowerStatus {
    return {
      version: this.#version,
      refused: this.#refused,
      source: this.#source,
      problem: this.#problem,
    };
  }

  /** Resolves when rules have been applied, those of a control plane or the kept ones. Rejects with `NO_RULES`. */
  async start(): Promise<void> {
    const { runtime, patienceMs = 3000, startMs = 30_000 } = this.#options;
    const untilMs = runtime.clock.nowMs() + startMs;
    await this.#ask(0, patienceMs);
    if (this.#version === '') await this.#useKept();
    while (this.#version === '') {
      this.#life.throwIfCancelled();
      if (runtime.clock.nowMs() >= untilMs) throw noRules(this.#problem ?? '');
      await sleep(runtime.timers, this.#pauseMs(), this.#life);
      await this.#ask(0, patienceMs);
    }
    this.#running = this.#follow();
  }

  async stop(): Promise<void> {
    this.#life.cancel(stopped());
    await this.#running;
    await this.#keeping;
    this.#life.end();
  }

  async #follow(): Promise<void> {
    const { timers } = this.#options.runtime;
    while (this.#life.cancelled === undefined) {
      const forMs = this.#refused.length > 0 ? againMs : waitMs;
      await this.#ask(forMs, forMs + graceMs);
      if (this.#refused.length > 0 && this.#life.cancelled === undefined) await this.#tryAgain();
      if (this.#failures > 0) await sleep(timers, this.#pauseMs(), this.#life).catch(() => undefined);
    }
  }

  /** Never rejects: what went wrong is `problem`. */
  async #ask(forMs: number, patienceMs: number): Promise<void> {
    const { runtime, plane, node, workload, ask } = this.#options;
    const question = { plane, node, workload, have: this.#version, refused: this.#refused, waitMs: forMs };
    const call = this.#life.child(runtime.clock.nowMs() + patienceMs);
    const limit = runtime.timers.after(patienceMs, () => call.cancel(tooSlow(patienceMs)));
    const result = await settle(ask, question, call);
    limit.cancel();
    if (this.#life.cancelled !== undefined) return;
    try {
      if (!result.ok) throw result.error;
      await this.#take(readAnswer(result.value));
      if (this.#problem !== undefined) runtime.log('info', 'a control plane answers again', { workload });
      this.#problem = undefined;
      this.#failures = 0;
      this.#source = 'control plane';
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      if (this.#problem === undefined)
        runtime.log('warn', 'no control plane gives the rules of the mesh; those of before hold on', {
          message,
        });
      this.#problem = message;
      this.#failures += 1;
      if (this.#version !== '') this.#source = 'kept';
    }
  }

  async #take(answer: ModelAnswer): Promise<void> {
    if (answer.version === this.#version) return;
    const isDelta = answer.base !== '' && answer.base === this.#version;
    const parts = changed(this.#parts, isDelta ? this.#parts : new Map(), answer);
    if ((answer.base !== '' && !isDelta) || versionOf(parts) !== answer.version) {
      // The next question asks for all.
      this.#version = '';
      throw garbled();
    }
    await this.#apply(parts, answer.version);
    this.#keep();
  }

  async #apply(parts: ModelParts, version: string): Promise<void> {
    const { runtime, apply, workload } = this.#options;
    const refused = await apply(modelOfParts(parts));
    const known = new Set(this.#refused.map(textOf));
    this.#parts = parts;
    this.#version = version;
    this.#refused = refused;
    for (const each of refused) {
      if (known.has(textOf(each))) continue;
      const { part, message } = each;
      const text = 'a part of the rules is refused, and goes on as it was';
      runtime.log('error', text, { workload, part, message });
    }
  }

  async #tryAgain(): Promise<void> {
    const { runtime, workload } = this.#options;
    try {
      await this.#apply(this.#parts, this.#version);
      if (this.#refused.length === 0) runtime.log('info', 'all of the rules are in force now', { workload });
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      runtime.log('warn', 'the rules could not be applied again', { workload, message });
    }
  }

  async #useKept(): Promise<void> {
    const { runtime, file, workload } = this.#options;
    const bytes = file === undefined ? undefined : await runtime.disk.read(file);
    if (bytes === undefined) return;
    try {
      const kept = readAnswer(JSON.parse(new TextDecoder().decode(bytes)));
      const parts = changed(new Map(), new Map(), kept);
      if (versionOf(parts) !== kept.version) throw garbled();
      await this.#apply(parts, kept.version);
      runtime.log('warn', 'no control plane answers: the rules of last time are used', { workload });
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      runtime.log('error', 'the kept rules of the mesh cannot be used', { file, message });
    }
  }

  /** One write at a time, always of the newest. A disk that fails costs the copy, not the service. */
  #keep(): void {
    const { file, runtime } = this.#options;
    if (file === undefined) return;
    this.#keepAgain = true;
    this.#keeping ??= (async () => {
      while (this.#keepAgain) {
        this.#keepAgain = false;
        const kept = { version: this.#version, base: '', put: Object.fromEntries(this.#parts), drop: [] };
        await runtime.disk.replace(file, new TextEncoder().encode(JSON.stringify(kept))).catch((thrown) => {
          const { message } = HeddleError.from(thrown);
          runtime.log('warn', 'the rules of the mesh cannot be kept on disk', { file, message });
        });
      }
      this.#keeping = undefined;
    })();
  }

  /** Some later than others: those that were let go of together do not come together. */
  #pauseMs(): number {
    const { random } = this.#options.runtime;
    return Math.min(10_000, 100 * 2 ** Math.min(this.#failures, 10)) * (0.5 + random.float() / 2);
  }
}

function textOf({ part, message }: PartRefusal): string {
  return `${part} ${message}`;
}

function noRules(why: string): HeddleError {
  const message = `no rules of the mesh can be had, and none are kept: ${why}`;
  return new HeddleError({ code: 'unavailable', reason: 'NO_RULES', message, sent: false });
}

function garbled(): HeddleError {
  const message =
    'what the control plane has sent does not add up to the version that it names; all is asked for again';
  return new HeddleError({ code: 'data_loss', reason: 'GARBLED_MODEL', message });
}

function tooSlow(patienceMs: number): HeddleError {
  const message = `the control plane did not answer within ${patienceMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'NO_ANSWER', message });
}

function stopped(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'STOPPED', message: 'the follower was stopped' });
}
