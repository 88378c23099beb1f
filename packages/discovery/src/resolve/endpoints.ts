import type { Instance } from '../registry/instance.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import type { EndpointSnapshot } from './endpoint-snapshot.ts';
import type { Subset } from './target.ts';

/** What of a registry's snapshot may be called under this subset. `nowMs` is the monotonic time of its arrival. */
export function endpointsOf(snapshot: Snapshot, subset: Subset, nowMs: number): EndpointSnapshot {
  const instances: Instance[] = [];
  const excluded = { subset: 0, state: 0, weight: 0 };
  for (const instance of snapshot.instances) {
    const reason = whyNot(instance, subset);
    if (reason === undefined) instances.push(instance);
    else excluded[reason] += 1;
  }
  const { term, revision, ageMs, stale, source } = snapshot;
  return { instances, excluded, term, revision, asOfMs: nowMs - ageMs, stale, source };
}

function whyNot(instance: Instance, subset: Subset): keyof EndpointSnapshot['excluded'] | undefined {
  if (!belongsTo(instance, subset)) return 'subset';
  if (instance.state !== 'running') return 'state';
  return instance.weight === 0 ? 'weight' : undefined;
}

function belongsTo(instance: Instance, subset: Subset): boolean {
  const { version = instance.version, zone = instance.zone, region = instance.region, tags } = subset;
  const same = version === instance.version && zone === instance.zone && region === instance.region;
  return same && tags.every((tag) => instance.tags.includes(tag));
}
