import type { MetricRegistry } from './registry.ts';

/** The gauge `registry_registered`: 1 while the registry has this instance, else 0. Gives what sets it. */
export function registrationGauge(metrics: MetricRegistry): (registered: boolean) => void {
  const help = '1 while the service registry has this instance registered, 0 while it has not.';
  const gauge = metrics.gauge({ name: 'registry_registered', help }).series();
  gauge.set(0);
  return (registered) => gauge.set(registered ? 1 : 0);
}
