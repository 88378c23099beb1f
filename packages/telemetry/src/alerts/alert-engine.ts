import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import type { Labels } from '../promql/labels.ts';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { MetricReader } from '../query/prometheus-api.ts';
import { type AlertMetrics, alertMetrics } from './alert-metrics.ts';
import { AlertStateFile } from './alert-state.ts';
import type { Channel } from './notify/channel.ts';
import type { NotifyConfig } from './notify/notify-config.ts';
import { type Delivery, noNotifyState, type NotifyState } from './notify/notify-state.ts';
import { nextTickMs, type NotifyInput, type SaidAlert, stepNotify } from './notify/notify-step.ts';
import { RuleEvaluator } from './rule-evaluator.ts';
import type { ActiveAlert } from './rules/rule-step.ts';
import type { RuleGroup } from './rules/rule.ts';

/** What the engine is told. */
export interface AlertEngineOptions {
  readonly runtime: Runtime;
  readonly reader: MetricReader;
  /** Takes the results of recording rules. */
  readonly record: (labels: Labels, timeMs: number, value: number) => void;
  readonly groups: readonly RuleGroup[];
  readonly config: NotifyConfig;
  /** By receiver, in the order of its channels. */
  readonly channels: Readonly<Record<string, readonly Channel[]>>;
  readonly metrics: MetricRegistry;
  /** Where people see the alerts. */
  readonly externalUrl: () => string;
  /** The file of the state, below the runtime's disk. */
  readonly stateFile?: string;
}

/** A pending alert that has waited through a longer pause than this begins anew. */
const longestPauseMs = 3_600_000;
/** How often the time itself is written down while there are alerts, to know how long the pause was. */
const saveEveryMs = 60_000;
/** How long a stop waits for notifications that are on their way. */
const lastWordsMs = 2000;

/**
 * Evaluates rules over the store, and tells people. What is decided is written down before anybody is told, so that a restart
 * goes on where the last process was; a notification on its way at that moment is sent again.
 */
export class AlertEngine implements Part {
  readonly name = 'alerts';
  readonly config: NotifyConfig;
  readonly groups: readonly RuleGroup[];
  readonly evaluator: RuleEvaluator;
  readonly #options: AlertEngineOptions;
  readonly #runtime: Runtime;
  readonly #file: AlertStateFile;
  readonly #metrics: AlertMetrics;
  readonly #timers = new Map<RuleGroup | 'tick', Timer>();
  readonly #underWay = new Set<Promise<void>>();
  #notify: NotifyState = noNotifyState;
  #saving: Promise<void> = Promise.resolve();
  #savedAtMs = 0;
  #stopped = false;

  constructor(options: AlertEngineOptions) {
    const { runtime, reader, record } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.config = options.config;
    this.groups = options.groups;
    this.#file = new AlertStateFile(runtime.disk, options.stateFile ?? 'alerts/state.json');
    this.evaluator = new RuleEvaluator({
      reader,
      record,
      log: runtime.log,
      nowMs: () => runtime.clock.nowMs(),
    });
    this.#metrics = alertMetrics(options.metrics, this);
  }

  /** What the notifier remembers, for those who show it. */
  get notify(): NotifyState {
    return this.#notify;
  }

  get nowMs(): number {
    return Math.floor(this.#runtime.clock.wallMs());
  }

  /** A new id, for silences. */
  newId(): string {
    return this.#runtime.random.uuid();
  }

  /** Takes back what the last process knew. The first evaluation comes an interval later, when metrics have come in again. */
  async start(): Promise<void> {
    const saved = await this.#file.load(this.nowMs);
    if (saved !== undefined) {
      const isLong = this.nowMs - saved.savedAtMs > longestPauseMs;
      const rules = isLong ? withoutPending(saved.rules) : saved.rules;
      this.evaluator.restore(rules, this.groups);
      this.#notify = saved.notify;
      this.#tell();
    }
    for (const group of this.groups) this.#evaluateLater(group);
    this.#tickLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    // Those that end now are written down as delivered; others are sent again by the next process.
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#runtime.timers.after(lastWordsMs, resolve);
    });
    await Promise.race([Promise.allSettled(this.#underWay), late]);
    timer?.cancel();
    await this.#save();
  }

  /** Something has happened from outside: an alert was told of, a silence made. It is written down when this resolves. */
  async take(input: Exclude<NotifyInput, { kind: 'delivered' | 'failed' | 'tick' }>): Promise<void> {
    this.#notify = stepNotify(this.config, this.#notify, input, this.nowMs).state;
    await this.#save();
    this.#tickLater();
  }

  #evaluateLater(group: RuleGroup): void {
    if (this.#stopped) return;
    const timer = this.#runtime.timers.after(group.everyMs, () => {
      void this.#track(this.#evaluate(group)).finally(() => this.#evaluateLater(group));
    });
    this.#timers.set(group, timer);
  }

  async #evaluate(group: RuleGroup): Promise<void> {
    const changed = await this.evaluator.evaluate(group, this.nowMs);
    this.#tell(group);
    const isOld = this.nowMs - this.#savedAtMs >= saveEveryMs;
    if (changed || (isOld && Object.keys(this.#notify.alerts).length > 0)) await this.#trySave();
    this.#tickLater();
  }

  /** Tells the notifier of the alerts of one group, or of all. */
  #tell(only?: RuleGroup): void {
    const said: SaidAlert[] = [];
    for (const group of only === undefined ? this.groups : [only])
      for (const rule of group.rules)
        for (const alert of Object.values(this.evaluator.stateOf(group, rule)))
          if (alert.state !== 'pending') said.push(this.#said(alert, group, rule.query));
    if (said.length === 0) return;
    this.#notify = stepNotify(this.config, this.#notify, { kind: 'alerts', alerts: said }, this.nowMs).state;
  }

  #said(alert: ActiveAlert, { everyMs }: RuleGroup, query: string): SaidAlert {
    const { labels, annotations, firedAtMs, resolvedAtMs } = alert;
    // Should nobody evaluate it any more, it ends by itself after four intervals that brought nothing.
    const endsAtMs = resolvedAtMs ?? this.nowMs + 4 * Math.max(everyMs, 15_000);
    const generatorUrl = `${this.#options.externalUrl()}/api/v1/query?query=${encodeURIComponent(query)}`;
    return { labels, annotations, startsAtMs: firedAtMs, endsAtMs, generatorUrl };
  }

  #tickLater(): void {
    if (this.#stopped) return;
    this.#timers.get('tick')?.cancel();
    const nextMs = nextTickMs(this.#notify);
    if (nextMs === undefined) return;
    const timer = this.#runtime.timers.after(Math.max(0, nextMs - this.nowMs), () => {
      void this.#track(this.#tick()).finally(() => this.#tickLater());
    });
    this.#timers.set('tick', timer);
  }

  async #tick(): Promise<void> {
    const { state, deliveries } = stepNotify(this.config, this.#notify, { kind: 'tick' }, this.nowMs);
    this.#notify = state;
    if (deliveries.length === 0) return;
    if (await this.#trySave()) {
      for (const delivery of deliveries) void this.#track(this.#deliver(delivery));
      return;
    }
    // Nobody is told what could be forgotten: it counts as a try that failed.
    const problem = 'the state of alerts could not be written down';
    for (const delivery of deliveries) this.#heard({ kind: 'failed', delivery, problem });
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { receiver, alerts } = delivery.notification;
    const channel = this.#options.channels[receiver]?.[delivery.channel];
    if (channel === undefined) throw new Error(`receiver ${receiver} has no channel ${delivery.channel}`);
    try {
      await channel.send(delivery.notification);
      this.#heard({ kind: 'delivered', delivery });
      this.#metrics.delivered(channel.kind);
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      this.#heard({ kind: 'failed', delivery, problem: message });
      this.#metrics.failed(channel.kind);
      const fields = { receiver, channel: channel.kind, alerts: alerts.length, error: message };
      this.#runtime.log('warn', 'a notification was not taken, and is sent again', fields);
    }
    await this.#trySave();
    this.#tickLater();
  }

  #heard(input: NotifyInput): void {
    this.#notify = stepNotify(this.config, this.#notify, input, this.nowMs).state;
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #trySave(): Promise<boolean> {
    try {
      await this.#save();
      return true;
    } catch (thrown) {
      const { reason, message } = HeddleError.from(thrown);
      this.#runtime.log('error', 'the state of alerts could not be written', { reason, error: message });
      return false;
    }
  }

  /** One after another: the newest state must be the last that is written. */
  #save(): Promise<void> {
    const turn = this.#saving.then(() => {
      const savedAtMs = this.nowMs;
      this.#savedAtMs = savedAtMs;
      return this.#file.save({ savedAtMs, rules: this.evaluator.states, notify: this.#notify });
    });
    this.#saving = turn.catch(() => {});
    return turn;
  }
}

function withoutPending(
  rules: Readonly<Record<string, Readonly<Record<string, ActiveAlert>>>>,
): Record<string, Record<string, ActiveAlert>> {
  const kept = Object.entries(rules).map(([rule, alerts]) => {
    const others = Object.entries(alerts).filter(([, { state }]) => state !== 'pending');
    return [rule, Object.fromEntries(others)] as const;
  });
  return Object.fromEntries(kept);
}
