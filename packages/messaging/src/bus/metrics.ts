import type { MetricRegistry } from '@heddle/telemetry';
import type { Runtime } from '@heddle/kernel';
import type { BrokerMeasures } from './measures.ts';

/**
 * Counts what a broker sends and handles, by topic and group, and how old messages are when they are handled: for
 * `BrokerOptions.measures`. One per registry.
 */
export function brokerMetrics(registry: MetricRegistry, runtime: Runtime): BrokerMeasures {
  const published = registry.counter({
    name: 'heddle_messages_published_total',
    help: 'Messages that were published and acknowledged.',
    labels: ['topic'],
  });
  const consumed = registry.counter({
    name: 'heddle_messages_consumed_total',
    help: 'Messages by what came of them: handled, retried, or dead (put aside).',
    labels: ['topic', 'group', 'outcome'],
  });
  const age = registry.histogram({
    name: 'heddle_message_age_seconds',
    help: 'From the making of a message to the end of its handling, by the clocks of both processes.',
    labels: ['topic', 'group'],
  });
  return {
    published: (messages) => {
      for (const { topic } of messages) published.series(topic).inc();
    },
    consumed: (outcome, topic, group, deliveries) => {
      consumed.series(topic, group, outcome).inc(deliveries.length);
      if (outcome !== 'handled') return;
      const ages = age.series(topic, group);
      for (const { message } of deliveries)
        ages.observe(Math.max(0, runtime.clock.wallMs() - message.timeMs) / 1000);
    },
  };
}
