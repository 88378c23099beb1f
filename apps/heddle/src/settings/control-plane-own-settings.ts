import type { ConfigStore } from '@heddle/config';
import type { Runtime } from '@heddle/kernel';
import {
  controlPlaneDefaults,
  type ControlPlaneSettings,
  controlPlaneSettings,
} from './control-plane-settings.ts';
import { type OwnSettings, ownSettings } from './own-settings.ts';

/** The settings of a control plane, from the config centre that it serves itself, if it does. */
export function controlPlaneOwnSettings(
  runtime: Runtime,
  store: ConfigStore | undefined,
): Promise<OwnSettings<ControlPlaneSettings>> {
  return ownSettings({
    runtime,
    name: 'control-plane',
    schema: controlPlaneSettings,
    defaults: controlPlaneDefaults,
    store,
  });
}
