import type { ConfigValue, StandardSchema } from '@heddle/config';
import { membersIn, settingsSchema, wholeIn } from './settings-schema.ts';

/** What of a control plane can be set while it runs. */
export interface ControlPlaneSettings {
  readonly api: {
    /** What becomes of an instance whose contract would break others: kept out of traffic, or let in with a warning. */
    readonly onBreaking: 'quarantine' | 'warn';
    /** For how long an instance that registers is waited for to say what its contract is. */
    readonly contractMs: number;
    /** Who has called within so many days counts as a consumer. */
    readonly consumerDays: number;
  };
}

/** As they are without a config centre. */
export const controlPlaneDefaults: Readonly<Record<string, ConfigValue>> = {
  api: { onBreaking: 'quarantine', contractMs: 3000, consumerDays: 7 },
};

/** What the place `…/heddle/control-plane` may hold. */
export const controlPlaneSettings: StandardSchema<ControlPlaneSettings> = settingsSchema((value, note) => {
  const { api } = membersIn(value, [], note, ['api']);
  const { onBreaking, contractMs, consumerDays } = membersIn(api, ['api'], note, [
    'onBreaking',
    'contractMs',
    'consumerDays',
  ]);
  if (onBreaking !== 'quarantine' && onBreaking !== 'warn')
    note(['api', 'onBreaking'], 'expected "quarantine" or "warn"');
  return {
    api: {
      onBreaking: onBreaking === 'warn' ? 'warn' : 'quarantine',
      contractMs: wholeIn(contractMs, ['api', 'contractMs'], note, [100, 30_000]),
      consumerDays: wholeIn(consumerDays, ['api', 'consumerDays'], note, [1, 365]),
    },
  };
});
