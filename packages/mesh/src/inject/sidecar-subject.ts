import type { InjectSettings } from './inject-settings.ts';
import type { JsonMembers } from './json-value.ts';
import type { PodWishes } from './pod-wishes.ts';

/** What a sidecar is made for. */
export interface SidecarSubject {
  readonly settings: InjectSettings;
  readonly wishes: PodWishes;
  readonly namespace: string;
  readonly workload: string;
  readonly serviceAccount: string;
  /** By path: what the kubelet asks the sidecar for, and what that asks the application for. */
  readonly probes: Readonly<Record<string, JsonMembers>>;
}
