import { HeddleError, type Log } from '@heddle/kernel';
import { queryInstant } from '../promql/evaluate.ts';
import { Labels } from '../promql/labels.ts';
import type { MetricReader } from '../query/prometheus-api.ts';
import { alertOf, type FoundSeries, type RuleState, stepRule } from './rules/rule-step.ts';
import type { AlertRule, RecordingRule, Rule, RuleGroup } from './rules/rule.ts';

/** How the last evaluation of a rule went. */
export interface RuleHealth {
  /** Empty: well. */
  readonly problem: string;
  readonly atMs: number;
  readonly tookMs: number;
}

/** What an evaluator needs. */
export interface RuleEvaluatorOptions {
  readonly reader: MetricReader;
  /** Takes the results of recording rules. */
  readonly record: (labels: Labels, timeMs: number, value: number) => void;
  readonly log: Log;
  /** The monotonic clock. */
  readonly nowMs: () => number;
}

/** Evaluates rules over the store of metrics. Keeps the alerts of each rule. */
export class RuleEvaluator {
  readonly #options: RuleEvaluatorOptions;
  readonly #states = new Map<string, RuleState>();
  readonly #health = new Map<string, RuleHealth>();
  #failures = 0;

  constructor(options: RuleEvaluatorOptions) {
    this.#options = options;
  }

  /** Evaluations that have failed. */
  get failures(): number {
    return this.#failures;
  }

  stateOf(group: RuleGroup, rule: Rule): RuleState {
    return this.#states.get(keyOf(group, rule)) ?? {};
  }

  healthOf(group: RuleGroup, rule: Rule): RuleHealth | undefined {
    return this.#health.get(keyOf(group, rule));
  }

  /** All states by rule, as plain data. */
  get states(): Readonly<Record<string, RuleState>> {
    return Object.fromEntries(this.#states);
  }

  /** Takes states back; those of rules that are no more are left out. */
  restore(states: Readonly<Record<string, RuleState>>, groups: readonly RuleGroup[]): void {
    const known = new Set(groups.flatMap((group) => group.rules.map((rule) => keyOf(group, rule))));
    for (const [key, state] of Object.entries(states)) if (known.has(key)) this.#states.set(key, state);
  }

  /** One evaluation of a group. True: an alert has begun, fires or has ended. */
  async evaluate(group: RuleGroup, wallMs: number): Promise<boolean> {
    let changed = false;
    for (const rule of group.rules) {
      const began = this.#options.nowMs();
      const key = keyOf(group, rule);
      let problem = '';
      try {
        if (rule.kind === 'record') await this.#record(group, rule, wallMs);
        else if (await this.#alert(group, rule, wallMs)) changed = true;
      } catch (thrown) {
        // What was stays: a query that cannot be answered tells nothing about its alerts.
        problem = HeddleError.from(thrown).message;
        this.#failures++;
        const before = this.#health.get(key)?.problem;
        if (before !== problem)
          this.#options.log('error', 'a rule could not be evaluated', { rule: rule.name, error: problem });
      }
      this.#health.set(key, { problem, atMs: wallMs, tookMs: this.#options.nowMs() - began });
    }
    return changed;
  }

  async #alert(group: RuleGroup, rule: AlertRule, wallMs: number): Promise<boolean> {
    const series = await this.#query(group, rule, wallMs);
    const key = keyOf(group, rule);
    const before = this.#states.get(key) ?? {};
    const found = series.map((each) => alertOf(rule, each));
    distinct(found.map(({ labels }) => Labels.of(labels)));
    const after = stepRule(rule, before, found, wallMs);
    this.#states.set(key, after);
    return shapeOf(before) !== shapeOf(after);
  }

  async #record(group: RuleGroup, rule: RecordingRule, wallMs: number): Promise<void> {
    const series = await this.#query(group, rule, wallMs);
    const results = series.map(({ labels, value }) => ({
      labels: Labels.of({ ...labels, ...rule.labels, __name__: rule.name }),
      value,
    }));
    distinct(results.map(({ labels }) => labels));
    for (const { labels, value } of results) this.#options.record(labels, wallMs, value);
  }

  async #query(
    group: RuleGroup,
    { expression, name }: Rule,
    wallMs: number,
  ): Promise<readonly FoundSeries[]> {
    const atMs = Math.floor(wallMs - group.offsetMs);
    const range = { startMs: atMs, endMs: atMs, stepMs: 0 };
    const source = await this.#options.reader.sourceFor(expression, range);
    const answer = queryInstant(source, expression, range);
    if (answer.type === 'scalar') return [{ labels: {}, value: answer.value }];
    if (answer.type !== 'vector') throw wrong(`expected a vector or a scalar, found a ${answer.type}`);
    if (group.limit > 0 && answer.elements.length > group.limit)
      throw wrong(`${name}: expected at most ${group.limit} series, found ${answer.elements.length}`);
    return answer.elements.map(({ labels, value }) => ({
      labels: labels.toRecord(),
      value: typeof value === 'number' ? value : value.count,
    }));
  }
}

function keyOf({ file, name }: RuleGroup, rule: Rule): string {
  return `${file}\n${name}\n${rule.name}\n${rule.query}`;
}

/** Which alerts there are and in which states: what must not be lost. */
function shapeOf(state: RuleState): string {
  const shape = Object.entries(state).map(([key, each]) => `${key} ${each.state} ${each.endedAtMs ?? ''}`);
  return shape.toSorted().join('\n');
}

function distinct(all: readonly Labels[]): void {
  if (new Set(all.map(({ key }) => key)).size < all.length)
    throw wrong('expected labels that tell the series apart, found two that are alike');
}

function wrong(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_RULE_RESULT', message, sent: false });
}
