import type { JsonMembers } from './json-value.ts';

/** A pod, or the template of pods: the two parts that injection reads and changes. All else stays as it is. */
export interface PodBody {
  readonly metadata: JsonMembers;
  readonly spec: JsonMembers;
}
