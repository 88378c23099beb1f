import type { Check } from '../check.ts';

/** Telemetries: access logs that nobody is to write. */
export const telemetries: Check = (inventory, tell) => {
  for (const telemetry of inventory.of('Telemetry')) {
    for (const [index, { providers = [] }] of (telemetry.spec.accessLogging ?? []).entries()) {
      if (providers.length > 0) continue;
      const message = 'accessLogging names no provider';
      tell('TELEMETRY_WITHOUT_PROVIDER', telemetry, ['spec', 'accessLogging', index], message);
    }
  }
};
