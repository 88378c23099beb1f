import { createHash } from 'node:crypto';
import type { Assignment, Cluster, MeshModel, ServiceListener, Workload } from '../model/index.ts';

/** A model in pieces that change apart, by name: `service order.shop.svc.cluster.local:8080`, `cluster …`, `assignment …`. */
export type ModelParts = ReadonlyMap<string, object>;

/** The part of a service's port. */
export function servicePart({ host, port }: Pick<ServiceListener, 'host' | 'port'>): string {
  return `service ${host}:${port}`;
}

/** The part of a cluster. */
export function clusterPart(name: string): string {
  return `cluster ${name}`;
}

/** The part of the instances of a cluster. */
export function assignmentPart(name: string): string {
  return `assignment ${name}`;
}

/** The part of a workload, by `namespace/name`. */
export function workloadPart(name: string): string {
  return `workload ${name}`;
}

const domainPart = 'trust domain';

/** What all parts of a mesh are about. */
export function domainParts(trustDomain: string): ModelParts {
  return new Map([[domainPart, { trustDomain }]]);
}

/** Puts a model together. The very parts are in it, so what has not changed between two is found by identity. */
export function modelOfParts(parts: ModelParts): MeshModel {
  const services: ServiceListener[] = [];
  const clusters = new Map<string, Cluster>();
  const assignments = new Map<string, Assignment>();
  const workloads = new Map<string, Workload>();
  let trustDomain = '';
  for (const [key, part] of parts) {
    const space = key.indexOf(' ');
    const name = key.slice(space + 1);
    switch (key.slice(0, space)) {
      case 'service':
        services.push(part as ServiceListener);
        break;
      case 'cluster':
        clusters.set(name, part as Cluster);
        break;
      case 'assignment':
        assignments.set(name, part as Assignment);
        break;
      case 'workload':
        workloads.set(name, part as Workload);
        break;
      default:
        if (key === domainPart) ({ trustDomain } = part as { trustDomain: string });
    }
  }
  // Parts come in the order of their changes; whose a name is that two services have must not depend on that.
  services.sort((a, b) => (servicePart(a) < servicePart(b) ? -1 : 1));
  return { trustDomain, services, clusters, assignments, workloads };
}

const digests = new WeakMap<object, string>();

/** What a part says, in short; the same in every process. Reckoned once for each object, which must never change. */
export function digestOf(part: object): string {
  const known = digests.get(part);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(canonical(part)).digest('base64url');
  digests.set(part, made);
  return made;
}

/** JSON with the keys in order: two that say the same have the same text, whoever has written them. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** The version of all parts together: what they say, not when. So any control plane has the same for the same rules. */
export function versionOf(parts: ModelParts): string {
  const hash = createHash('sha256');
  for (const key of [...parts.keys()].sort()) hash.update(`${key}\n${digestOf(parts.get(key) as object)}\n`);
  return hash.digest('base64url').slice(0, 22);
}

/** What leads from some parts to others. */
export interface PartChanges {
  readonly put: Readonly<Record<string, object>>;
  readonly drop: readonly string[];
}

/** What has changed, by identity first. */
export function changesOf(before: ModelParts, after: ModelParts): PartChanges {
  const put: Record<string, object> = {};
  for (const [key, part] of after) {
    const old = before.get(key);
    if (old !== part && (old === undefined || digestOf(old) !== digestOf(part))) put[key] = part;
  }
  return { put, drop: [...before.keys()].filter((key) => !after.has(key)) };
}

/** The parts after a change. One that says what it said before stays the same object. */
export function changed(before: ModelParts, base: ModelParts, { put, drop }: PartChanges): ModelParts {
  const parts = new Map(base);
  for (const key of drop) parts.delete(key);
  for (const [key, part] of Object.entries(put)) {
    const old = before.get(key);
    parts.set(key, old !== undefined && digestOf(old) === digestOf(part) ? old : part);
  }
  return parts;
}
