import type { ConfigValue, StandardSchema } from '@heddle/config';
import { membersIn, settingsSchema, wholeIn } from './settings-schema.ts';

/** What of a control plane can be set while it runs. */
export interface ControlPlaneSettings {
  readonly api: {
    /** What becomes of an instance whose contract would break others: kept out of traffic, or let in with a warning. */
    readonly onBreaking: 'quarantine' | 'warn';
    /** What becomes of an instance of which this cannot be said: it cannot be asked, or the catalogue cannot be read or written. */
    readonly onUndecided: 'admit' | 'quarantine';
    /** For how long an instance that registers is waited for to say what its contract is. */
    readonly contractMs: number;
    /** Who has called within so many days counts as a consumer. */
    readonly consumerDays: number;
  };
}

/** As they are without a config centre. */
export const controlPlaneDefaults: Readonly<Record<string, ConfigValue>> = {
  api: { onBreaking: 'quarantine', onUndecided: 'admit', contractMs: 3000, consumerDays: 7 },
};

/** What the place `…/heddle/control-plane` may hold. */
export const controlPlaneSettings: StandardSchema<ControlPlaneSettings> = settingsSchema((value, note) => {
  const { api } = membersIn(value, [], note, ['api']);
  const { onBreaking, onUndecided, contractMs, consumerDays } = membersIn(api, ['api'], note, [
    'onBreaking',
    'onUndecided',
    'contractMs',
    'consumerDays',
  ]);
  if (onBreaking !== 'quarantine' && onBreaking !== 'warn')
    note(['api', 'onBreaking'], 'expected "quarantine" or "warn"');
  if (onUndecided !== 'admit' && onUndecided !== 'quarantine')
    note(['api', 'onUndecided'], 'expected "admit" or "quarantine"');
  return {
    api: {
      onUndecided: onUndecided === 'quarantine' ? 'quarantine' : 'admit',
      onBreaking: onBreaking === 'warn' ? 'warn' : 'quarantine',
      contractMs: wholeIn(contractMs, ['api', 'contractMs'], note, [100, 30_000]),
      consumerDays: wholeIn(consumerDays, ['api', 'consumerDays'], note, [1, 365]),
    },
  };
});
