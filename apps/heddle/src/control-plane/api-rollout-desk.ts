import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import {
  newRollout,
  type RolloutEffect,
  type RolloutInput,
  type RolloutPlan,
  type RolloutState,
  type Shift,
  shiftWeights,
  stepRollout,
} from '@heddle/mesh/rollout';
import type { MeshStore } from './api-mesh-store.ts';

/** What was measured of a version in one look. */
export interface Look {
  readonly atMs: number;
  readonly percent: number;
  readonly calls: number;
  readonly errorPercent: number;
  readonly latencyMs: number | null;
}

/** A rollout as people see it. */
export interface Rollout {
  readonly id: number;
  readonly file: string;
  readonly shift: Shift;
  readonly plan: RolloutPlan;
  readonly who: string;
  readonly startedMs: number;
  /** `interrupted`: the control plane ended meanwhile, and the weights are as they were then. */
  readonly phase: RolloutState['phase'] | 'interrupted';
  readonly percent: number;
  /** Why it ended; empty while it runs. */
  readonly reason: string;
  /** The newest last. */
  readonly looks: readonly Look[];
}

/** Measures the new version of a rollout; rejects where that cannot be had. */
export type Measure = (rollout: Rollout) => Promise<{
  readonly calls: number;
  readonly errorPercent: number;
  readonly latencyMs: number | undefined;
}>;

const file = 'console/rollouts.json';
const keptLooks = 60;
const keptRollouts = 50;

/**
 * Runs rollouts: each step is a version of the rules like any that somebody publishes, judged by the core that
 * `heddle rollout` has too. They lie on the disk, so that one that an end of this process has interrupted is told.
 */
export class RolloutDesk {
  readonly #runtime: Runtime;
  readonly #store: MeshStore;
  readonly #measure: Measure;
  #rollouts: readonly Rollout[];
  readonly #running = new Map<
    number,
    { state: RolloutState; timer: Timer | undefined; turn: Promise<void> }
  >();

  private constructor(runtime: Runtime, store: MeshStore, measure: Measure, rollouts: readonly Rollout[]) {
    this.#runtime = runtime;
    this.#store = store;
    this.#measure = measure;
    this.#rollouts = rollouts;
  }

  static async open(runtime: Runtime, store: MeshStore, measure: Measure): Promise<RolloutDesk> {
    const bytes = await runtime.disk.read(file);
    const known = bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as Rollout[]);
    const rollouts = known.map((one) =>
      one.phase === 'running'
        ? { ...one, phase: 'interrupted' as const, reason: 'the control plane was started again' }
        : one,
    );
    return new RolloutDesk(runtime, store, measure, rollouts);
  }

  /** The newest first. */
  get all(): readonly Rollout[] {
    return this.#rollouts.toReversed();
  }

  /** Rejects with `failed_precondition` for a split that is not there, or that another rollout moves. */
  async start(given: Pick<Rollout, 'file' | 'shift' | 'plan' | 'who'>): Promise<Rollout> {
    const { name, namespace } = given.shift;
    const other = this.#rollouts.find(
      ({ phase, shift }) => phase === 'running' && shift.name === name && shift.namespace === namespace,
    );
    if (other !== undefined)
      throw refused('ROLLOUT_RUNS', `rollout ${other.id} of ${name} runs: stop it first`);
    const [newest] = this.all;
    const { clock } = this.#runtime;
    const begun = { phase: 'running', percent: 0, reason: '', looks: [], startedMs: clock.wallMs() } as const;
    const rollout: Rollout = { ...given, ...begun, id: (newest?.id ?? 0) + 1 };
    // A split that is not there is told before anything is kept.
    await this.#shifted(rollout, 0);
    this.#rollouts = [...this.#rollouts, rollout].slice(-keptRollouts);
    this.#running.set(rollout.id, { state: newRollout(), timer: undefined, turn: Promise.resolve() });
    await this.#step(rollout.id, { is: 'start' });
    return this.#of(rollout.id);
  }

  /** Takes it back. Rejects with `failed_precondition` / `NOT_RUNNING`. */
  async stop(id: number, why: string): Promise<Rollout> {
    if (!this.#running.has(id)) throw refused('NOT_RUNNING', `no rollout ${id} runs`);
    await this.#step(id, { is: 'stop', reason: why });
    return this.#of(id);
  }

  /** Lets those that run be told as interrupted at the next start. */
  close(): void {
    for (const { timer } of this.#running.values()) timer?.cancel();
    this.#running.clear();
  }

  #of(id: number): Rollout {
    return this.#rollouts.find((one) => one.id === id) as Rollout;
  }

  #step(id: number, input: RolloutInput): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return Promise.resolve();
    const done = running.turn.then(async () => {
      const { clock } = this.#runtime;
      const { state, effects } = stepRollout(this.#of(id).plan, running.state, input, clock.nowMs());
      running.state = state;
      for (const effect of effects) await this.#act(id, effect);
      await this.#kept();
    });
    running.turn = done.catch(() => undefined);
    return done;
  }

  async #act(id: number, effect: RolloutEffect): Promise<void> {
    const running = this.#running.get(id);
    switch (effect.do) {
      case 'shift':
        await this.#publish(id, effect.percent);
        return;
      case 'look':
        running?.timer?.cancel();
        if (running !== undefined)
          running.timer = this.#runtime.timers.after(effect.afterMs, () => void this.#look(id));
        return;
      case 'end':
        running?.timer?.cancel();
        this.#running.delete(id);
        this.#change(id, { phase: effect.outcome, reason: effect.reason });
        this.#runtime.log(effect.outcome === 'done' ? 'info' : 'warn', `a rollout is ${effect.outcome}`, {
          id,
          reason: effect.reason,
        });
    }
  }

  async #look(id: number): Promise<void> {
    const rollout = this.#of(id);
    const input = await this.#measure(rollout).then(
      (measured): RolloutInput => ({ is: 'measured', ...measured }),
      (thrown: unknown): RolloutInput => ({ is: 'unmeasured', reason: HeddleError.from(thrown).message }),
    );
    if (input.is === 'measured') {
      const { calls, errorPercent, latencyMs = null } = input;
      const look = {
        atMs: this.#runtime.clock.wallMs(),
        percent: rollout.percent,
        calls,
        errorPercent,
        latencyMs,
      };
      this.#change(id, { looks: [...rollout.looks, look].slice(-keptLooks) });
    }
    await this.#step(id, input).catch((thrown: unknown) => {
      const { message } = HeddleError.from(thrown);
      this.#runtime.log('error', 'a step of a rollout failed', { id, message });
      this.#running.delete(id);
      this.#change(id, { phase: 'interrupted', reason: message });
    });
  }

  async #publish(id: number, percent: number): Promise<void> {
    const rollout = this.#of(id);
    const text = await this.#shifted(rollout, percent);
    const { shift, who } = rollout;
    const why = `rollout ${id}: ${shift.to} ${percent} %`;
    await this.#store.publish({ file: rollout.file, text }, { who, why });
    this.#change(id, { percent });
  }

  async #shifted({ file: wanted, shift }: Rollout, percent: number): Promise<string> {
    const found = (await this.#store.read()).find((each) => each.file === wanted);
    if (found === undefined) throw refused('NO_SUCH_FILE', `the rules have no file ${wanted}`);
    return shiftWeights(found.text, shift, percent);
  }

  #change(id: number, change: Partial<Rollout>): void {
    this.#rollouts = this.#rollouts.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  #kept(): Promise<void> {
    return this.#runtime.disk.replace(file, new TextEncoder().encode(JSON.stringify(this.#rollouts)));
  }
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}
