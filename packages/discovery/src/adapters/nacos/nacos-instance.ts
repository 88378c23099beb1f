import { type CarrierRules, carryFields, readCarried } from '../../registry/carried-fields.ts';
import type { Instance } from '../../registry/instance.ts';
import { readInstance } from '../../registry/validate-instance.ts';

/** An instance as Nacos' JSON has it. */
export interface NacosInstance {
  readonly ip?: unknown;
  readonly port?: unknown;
  readonly weight?: unknown;
  readonly healthy?: unknown;
  readonly enabled?: unknown;
  readonly ephemeral?: unknown;
  readonly clusterName?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Whose entry it is. */
export interface Holder {
  readonly lease: string;
  /** When this holder took the id, in milliseconds since 1970: the latest has it. */
  readonly sinceMs: number;
}

/** An entry as it was read; that of others has an empty lease. */
export interface ReadNacosInstance extends Holder {
  readonly instance: Instance;
  /** Published by a lease thread, while the main thread could not. */
  readonly isCopy: boolean;
}

const rules: CarrierRules = {
  prefix: 'heddle.',
  // Keys that the server itself looks at.
  isKey: (key) => !key.startsWith('preserved.'),
  isValue: () => true,
  longestValue: 16_384,
  mostEntries: 128,
};

const lacking = ['id', 'version', 'state', 'weight', 'zone', 'region', 'protocol', 'health', 'tags'] as const;
// 1.0 is what Nacos gives by default, 100 is what we do.
const weightUnit = 100;

/** What is registered. Other clients take it for well while it is `running`, and do not call it otherwise. */
export function encodeInstance(
  instance: Instance,
  { lease, sinceMs }: Holder,
  cluster: string,
  ephemeral: boolean,
): NacosInstance {
  return {
    ip: instance.address,
    port: instance.port,
    weight: instance.weight / weightUnit,
    healthy: instance.state === 'running',
    enabled: true,
    ephemeral,
    clusterName: cluster,
    metadata: carryFields(instance, lacking, rules, { lease, since: String(sinceMs) }),
  };
}

/** Reads an entry; undefined for what is no instance. `nowMs`: the time of day, at which the server stands by it. */
export function decodeInstance(
  service: string,
  entry: NacosInstance,
  nowMs: number,
): ReadNacosInstance | undefined {
  const texts = Object.entries(entry.metadata ?? {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  const { metadata, fields, extras } = readCarried(Object.fromEntries(texts), rules.prefix);
  const isOurs = extras['lease'] !== undefined;
  const isHealthy = entry.healthy !== false;
  const { instance } = readInstance({
    weight: Math.min(65_535, Math.round(Number(entry.weight ?? 1) * weightUnit)),
    protocol: 'http',
    version: isOurs ? undefined : metadata['version'],
    state: isHealthy ? 'running' : 'unhealthy',
    ...fields,
    // The server's own checks of persistent instances have the last word.
    ...(!isHealthy && fields.state === 'running' && { health: 'critical' }),
    service,
    address: entry.ip,
    port: entry.port,
    metadata,
    lastHeartbeatMs: Math.floor(nowMs),
  });
  if (instance === undefined) return undefined;
  const sinceMs = Number(extras['since'] ?? 0);
  return { instance, lease: extras['lease'] ?? '', sinceMs, isCopy: extras['copy'] !== undefined };
}

/** The same entry as a lease thread publishes it: without what the server adds, which it would not take back. */
export function copyOf({ metadata, ...entry }: NacosInstance): NacosInstance {
  const { ip, port, weight, healthy, enabled, ephemeral, clusterName } = entry;
  return {
    ip,
    port,
    weight,
    healthy,
    enabled,
    ephemeral,
    clusterName,
    metadata: { ...metadata, [`${rules.prefix}copy`]: 'yes' },
  };
}

/** One entry for each id: that of the holder who took it last. */
export function latestOf(entries: readonly ReadNacosInstance[]): readonly ReadNacosInstance[] {
  const byId = new Map<string, ReadNacosInstance>();
  for (const entry of entries) {
    const other = byId.get(entry.instance.id);
    if (other === undefined || compareHolders(entry, other) > 0) byId.set(entry.instance.id, entry);
  }
  return [...byId.values()];
}

/** Positive if `a` took the id after `b`. */
export function compareHolders(a: Holder, b: Holder): number {
  if (a.sinceMs !== b.sinceMs) return a.sinceMs - b.sinceMs;
  return a.lease === b.lease ? 0 : a.lease < b.lease ? -1 : 1;
}
