import { List } from '@mantine/core';
import type { ReactNode } from 'react';
import { Empty } from '../parts/page.tsx';
import { useTexts } from '../texts/language.tsx';

/** How far calls come on their way into the picture. */
export interface Stages {
  readonly services: number;
  readonly instances: number;
  readonly answering: number;
  readonly requests: boolean;
  readonly tracedServices: number;
  readonly edgesInADay: number;
}

/** Says at which stage an empty picture is empty, and what to do about it. */
export function WhyEmpty({
  stages,
  hasEdges,
  minutes,
}: {
  readonly stages: Stages;
  readonly hasEdges: boolean;
  readonly minutes: number;
}): ReactNode {
  const t = useTexts();
  const steps: readonly (readonly [boolean, string, string])[] = [
    [
      stages.services > 0,
      t('{count} services are registered', { count: stages.services }),
      t('Register a service: a program of Heddle does it when it has HEDDLE_REGISTRY.'),
    ],
    [
      stages.answering > 0,
      t('{count} of {all} instances answer', { count: stages.answering, all: stages.instances }),
      t('The control plane cannot read /metrics of any instance: see the page Services for which ones.'),
    ],
    [stages.requests, t('there were requests in the last 10 s'), t('Nobody calls anything: send a request.')],
    [
      stages.tracedServices > 0,
      t('{count} services send traces', { count: stages.tracedServices }),
      t('Calls are not traced: HEDDLE_TRACE_RATIO is 0, or HEDDLE_OTLP leads elsewhere.'),
    ],
    [
      stages.edgesInADay > 0,
      t('{count} kinds of calls between services in the last day', { count: stages.edgesInADay }),
      t('Each trace has one service only: the trace context is lost on the way.'),
    ],
    [
      hasEdges,
      t('calls in the last {minutes} min', { minutes }),
      t('The calls are older: choose a longer time.'),
    ],
    [false, t('calls that fit the filter'), t('Another filter may show more.')],
  ];
  const broken = steps.findIndex(([fits]) => !fits);
  return (
    <Empty title={t('No call to show, because of this step:')}>
      <List spacing={4} size="sm" mt="xs" listStyleType="none" data-broken={broken}>
        {steps.slice(0, broken + 1).map(([fits, what, remedy]) => (
          <List.Item key={what}>{fits ? `✓ ${what}` : <strong>{`✗ ${what}: ${remedy}`}</strong>}</List.Item>
        ))}
      </List>
    </Empty>
  );
}
