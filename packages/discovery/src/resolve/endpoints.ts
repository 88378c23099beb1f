import type { Health, Instance } from '../registry/instance.ts';
import type { Snapshot } from '../registry/snapshot.ts';
import type { EndpointSnapshot, ExcludedCounts } from './endpoint-snapshot.ts';
import { type Subsetting, shareOf } from './subsetting.ts';
import type { Subset } from './target.ts';

/** What to make of a registry's snapshot. */
export interface EndpointChoice {
  readonly subset: Subset;
  /** With fewer healthy than this share, health is not asked for. 0: it always is. */
  readonly panicShare: number;
  readonly subsetting: Subsetting | undefined;
  readonly healthOf: (instance: Instance) => Health;
}

/** What of a registry's snapshot may be called. Pure. `nowMs` is the monotonic time of its arrival. */
export function endpointsOf(snapshot: Snapshot, choice: EndpointChoice, nowMs: number): EndpointSnapshot {
  const able: Instance[] = [];
  const counts = { subset: 0, state: 0, weight: 0, health: 0, share: 0 };
  for (const instance of snapshot.instances) {
    const reason = whyNot(instance, choice.subset);
    if (reason === undefined) able.push(instance);
    else counts[reason] += 1;
  }
  const healthy = able.filter((instance) => choice.healthOf(instance) !== 'critical');
  const panic = healthy.length < choice.panicShare * able.length;
  const wanted = panic ? able : healthy;
  const instances = shareOf(wanted, choice.subsetting);
  const excluded: ExcludedCounts = {
    ...counts,
    health: able.length - wanted.length,
    share: wanted.length - instances.length,
  };
  const { term, revision, ageMs, stale, source, heldBack } = snapshot;
  return { instances, excluded, term, revision, asOfMs: nowMs - ageMs, stale, source, heldBack, panic };
}

function whyNot(instance: Instance, subset: Subset): 'subset' | 'state' | 'weight' | undefined {
  if (!belongsTo(instance, subset)) return 'subset';
  if (instance.state !== 'running') return 'state';
  return instance.weight === 0 ? 'weight' : undefined;
}

function belongsTo(instance: Instance, subset: Subset): boolean {
  const { version = instance.version, zone = instance.zone, region = instance.region, tags } = subset;
  const same = version === instance.version && zone === instance.zone && region === instance.region;
  return same && tags.every((tag) => instance.tags.includes(tag));
}
