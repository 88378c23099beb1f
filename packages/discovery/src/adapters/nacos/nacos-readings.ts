import { decodeInstance, type NacosInstance, type ReadNacosInstance } from './nacos-instance.ts';

/** More than most fleets have instances; beyond it everything is read anew. */
const most = 50_000;

interface Known {
  readonly entry: NacosInstance;
  readonly read: ReadNacosInstance | undefined;
}

/**
 * Reads the entries of answers, and remembers what it has made of each: entries rarely change, and reading one costs
 * more than asking for it.
 */
export class NacosReadings {
  readonly #known = new Map<string, Known>();

  /** As `decodeInstance` for each; what is no instance is left out. */
  read(service: string, entries: readonly NacosInstance[], nowMs: number): ReadNacosInstance[] {
    const lastHeartbeatMs = Math.floor(nowMs);
    const all: ReadNacosInstance[] = [];
    for (const entry of entries) {
      const { read } = this.#knownOf(service, entry, nowMs);
      if (read === undefined) continue;
      all.push({ ...read, instance: Object.freeze({ ...read.instance, lastHeartbeatMs }) });
    }
    return all;
  }

  #knownOf(service: string, entry: NacosInstance, nowMs: number): Known {
    const key = `${service}/${String(entry.clusterName)}/${String(entry.ip)}:${String(entry.port)}`;
    const known = this.#known.get(key);
    if (known !== undefined && saysTheSame(known.entry, entry)) return known;
    if (this.#known.size >= most) this.#known.clear();
    const fresh = { entry, read: decodeInstance(service, entry, nowMs) };
    this.#known.set(key, fresh);
    return fresh;
  }
}

/** As far as `decodeInstance` looks at them. */
function saysTheSame(a: NacosInstance, b: NacosInstance): boolean {
  if (a.weight !== b.weight || a.healthy !== b.healthy) return false;
  const [left, right] = [a.metadata ?? {}, b.metadata ?? {}];
  let count = 0;
  for (const key in left) {
    if (left[key] !== right[key]) return false;
    count += 1;
  }
  for (const _ in right) count -= 1;
  return count === 0;
}
