import type { Resources, XdsResource, XdsType } from './resource.ts';

/** A version of a resource that a proxy has refused. It is sent to none of its group any more. */
export interface Refused {
  readonly type: XdsType;
  readonly name: string;
  readonly version: string;
  /** What they have instead; undefined: nothing. */
  readonly instead: XdsResource | undefined;
  /** The proxy's own words. */
  readonly message: string;
  /** Who refused it first. */
  readonly node: string;
}

/** What is refused in a group, by type and name. A value. */
export type Quarantine = ReadonlyMap<string, Refused>;

/** Nothing is. */
export const noQuarantine: Quarantine = new Map();

/** The quarantine with one more. */
export function refusing(quarantine: Quarantine, refused: Refused): Quarantine {
  return new Map(quarantine).set(keyOf(refused.type, refused.name), refused);
}

const held = new WeakMap<Resources, WeakMap<Quarantine, Map<XdsType, Resources>>>();

/** The resources that are sent: for what is refused, what was there before. Another version of it has another chance. */
export function withoutRefused(resources: Resources, type: XdsType, quarantine: Quarantine): Resources {
  if (quarantine.size === 0) return resources;
  const byQuarantine = held.get(resources) ?? new WeakMap<Quarantine, Map<XdsType, Resources>>();
  held.set(resources, byQuarantine);
  const byType = byQuarantine.get(quarantine) ?? new Map<XdsType, Resources>();
  byQuarantine.set(quarantine, byType);
  const found = byType.get(type) ?? replaced(resources, type, quarantine);
  byType.set(type, found);
  return found;
}

function replaced(resources: Resources, type: XdsType, quarantine: Quarantine): Resources {
  let result: Map<string, XdsResource> | undefined;
  for (const refused of quarantine.values()) {
    if (refused.type !== type || resources.get(refused.name)?.version !== refused.version) continue;
    result ??= new Map(resources);
    if (refused.instead === undefined) result.delete(refused.name);
    else result.set(refused.name, refused.instead);
  }
  return result ?? resources;
}

/** What is refused and would be sent again: its version is the one of now. */
export function stillRefused(
  quarantine: Quarantine,
  snapshot: Readonly<Record<XdsType, Resources>>,
): Quarantine {
  const kept = [...quarantine].filter(
    ([, { type, name, version }]) => snapshot[type].get(name)?.version === version,
  );
  return kept.length === quarantine.size ? quarantine : new Map(kept);
}

function keyOf(type: XdsType, name: string): string {
  return `${type} ${name}`;
}
