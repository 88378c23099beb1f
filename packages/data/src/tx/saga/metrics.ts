import type { MetricRegistry } from '@heddle/telemetry';
import type { SagaStatus } from './saga-state.ts';

/** How many sagas of a definition have a status. */
export interface SagaCount {
  readonly saga: string;
  readonly status: SagaStatus;
  readonly count: number;
}

/** What an engine tells whoever counts. Must not throw. */
export interface SagaMeasures {
  /** A saga has come to an end in this process, or is parked. */
  rested(saga: string, status: SagaStatus): void;
  /** A step was run or undone here, and what came of it. */
  tried(saga: string, step: string, kind: 'run' | 'undo', outcome: 'done' | 'failed' | 'skipped'): void;
  /** All sagas that have not ended, of every process; every 15 s or so. */
  open(counts: readonly SagaCount[]): void;
}

/**
 * Counts sagas: `heddle_sagas_rested_total{saga,status}`, `heddle_saga_steps_total{saga,step,kind,outcome}`, and how many
 * are `running`, `compensating` or `parked` now, `heddle_sagas{saga,status}`, which every process of a service shows alike.
 * For `measures` of an engine; one per registry.
 */
export function sagaMetrics(registry: MetricRegistry): SagaMeasures {
  const rested = registry.counter({
    name: 'heddle_sagas_rested_total',
    help: 'Sagas that ended in this process, or were parked there.',
    labels: ['saga', 'status'],
  });
  const steps = registry.counter({
    name: 'heddle_saga_steps_total',
    help: 'Steps that were run or undone, by what came of it.',
    labels: ['saga', 'step', 'kind', 'outcome'],
  });
  const open = registry.gauge({
    name: 'heddle_sagas',
    help: 'Sagas that have not ended, of all processes.',
    labels: ['saga', 'status'],
  });
  const shown = new Map<string, readonly [string, string]>();
  return {
    rested: (saga, status) => rested.series(saga, status).inc(),
    tried: (saga, step, kind, outcome) => steps.series(saga, step, kind, outcome).inc(),
    open: (counts) => {
      for (const each of shown.values()) open.series(...each).set(0);
      for (const { saga, status, count } of counts) {
        shown.set(`${saga} ${status}`, [saga, status]);
        open.series(saga, status).set(count);
      }
    },
  };
}
