import type { MetricRegistry } from '../metrics/registry.ts';
import type { NotifyState } from './notify/notify-state.ts';
import type { RuleEvaluator } from './rule-evaluator.ts';
import type { RuleGroup } from './rules/rule.ts';

/** What the engine counts as it goes. */
export interface AlertMetrics {
  delivered(channel: string): void;
  failed(channel: string): void;
}

/** What is told of an engine. */
interface Observed {
  readonly groups: readonly RuleGroup[];
  readonly evaluator: RuleEvaluator;
  readonly notify: NotifyState;
}

/** Declares `alerts{state}`, `alert_notifications_total{channel,outcome}` and `alert_rule_failures_total`. */
export function alertMetrics(registry: MetricRegistry, engine: Observed): AlertMetrics {
  const notifications = registry.counter({
    name: 'alert_notifications_total',
    help: 'Notifications sent, by how it ended; what failed is sent again.',
    labels: ['channel', 'outcome'],
  });
  const failures = registry
    .counter({ name: 'alert_rule_failures_total', help: 'Evaluations of rules that failed.' })
    .series();
  const alerts = registry.gauge({ name: 'alerts', help: 'Alerts of rules, by state.', labels: ['state'] });
  const owed = registry
    .gauge({ name: 'alert_notifications_owed', help: 'Channels that are owed a notification.' })
    .series();
  registry.beforeExposition(() => {
    failures.advanceTo(engine.evaluator.failures);
    const count = { pending: 0, firing: 0, resolved: 0 };
    for (const group of engine.groups)
      for (const rule of group.rules)
        for (const { state } of Object.values(engine.evaluator.stateOf(group, rule))) count[state]++;
    for (const [state, value] of Object.entries(count)) alerts.series(state).set(value);
    const logs = Object.values(engine.notify.groups).flatMap(({ channels }) => Object.values(channels));
    owed.set(logs.filter((each) => each.owed.length > 0).length);
  });
  return {
    delivered: (channel) => notifications.series(channel, 'delivered').inc(),
    failed: (channel) => notifications.series(channel, 'failed').inc(),
  };
}
