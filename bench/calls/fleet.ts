import { Call, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Candidate, hashKey, Load, LoadGroup } from '@heddle/traffic';

/** The real clock and chance: a picker that needs them pays for them. */
export const runtime: Runtime = nodeRuntime({ name: 'bench' });

/** One instance as a client holds it. */
export interface BenchCandidate extends Candidate {
  readonly load: Load;
  /** For peers that keep their state in the list that they are given. */
  readonly node: { readonly cpu: number };
}

/** So many instances, of weights 100 to 400, in three zones, all a little busy. */
export function fleet(count: number): BenchCandidate[] {
  const group = new LoadGroup();
  return Array.from({ length: count }, (_, index) => {
    const load = new Load(group);
    load.inFlight = index % 5;
    group.inFlight += index % 5;
    load.took(5 + (index % 40), runtime.clock.nowMs());
    return {
      id: idOf(index),
      weight: 100 * (1 + (index % 4)),
      zone: `z${index % 3}`,
      region: 'r',
      load,
      node: { cpu: 20 + (index % 60) },
    };
  });
}

/** `host:port` under which peers know it too. */
export function idOf(index: number): string {
  return `10.0.${index >> 8}.${index & 255}:8080`;
}

/** Keys of 36 characters, as UUIDs are, each in one piece as it comes out of a header. */
export const keys: readonly string[] = Array.from({ length: 1024 }, () => {
  return Buffer.from(runtime.random.uuid(), 'latin1').toString('latin1');
});

/** One call for each key. */
export const keyedCalls: readonly Call[] = keys.map((key) => Call.root(runtime).set(hashKey, key));
