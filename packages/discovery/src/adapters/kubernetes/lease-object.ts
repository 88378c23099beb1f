import { createHash } from 'node:crypto';
import type { Instance } from '../../registry/instance.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import { readInstance } from '../../registry/validate-instance.ts';
import { leaseServiceLabel, managedByLabel, manager } from './kinds.ts';
import { type KubernetesObject, membersIn } from './object.ts';

const instanceNote = 'heddle.dev/instance';
const ttlNote = 'heddle.dev/ttl-ms';

/** What one of our `Lease` objects says. */
export interface ReadLease {
  readonly object: KubernetesObject;
  /** Its `lastHeartbeatMs` is when the lease was renewed, in the server's time of day. */
  readonly instance: Instance;
  readonly holder: string;
  readonly ttlMs: number;
}

/** The name of the lease and the slice of an instance: an id may have signs that names may not. */
export function objectName(service: string, id: string): string {
  return `heddle-${createHash('sha256').update(`${service}/${id}`).digest('hex').slice(0, 40)}`;
}

/** The `Lease` of an instance. `resourceVersion`: of the one that it replaces. */
export function leaseObject(
  { instance, lease, ttlMs }: LeasedInstance,
  renewedAtMs: number,
  resourceVersion: string | undefined,
): Record<string, unknown> {
  const { lastHeartbeatMs: _, ...stated } = instance;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: objectName(instance.service, instance.id),
      labels: { [leaseServiceLabel]: instance.service, [managedByLabel]: manager },
      annotations: { [instanceNote]: JSON.stringify(stated), [ttlNote]: String(ttlMs) },
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    spec: {
      holderIdentity: lease,
      leaseDurationSeconds: Math.max(1, Math.ceil(ttlMs / 1000)),
      // MicroTime: six digits.
      renewTime: new Date(renewedAtMs).toISOString().replace('Z', '000Z'),
    },
  };
}

/** What a `Lease` says; undefined if it is none of ours, or spoilt. */
export function readLease(
  object: KubernetesObject & Readonly<Record<string, unknown>>,
): ReadLease | undefined {
  const { annotations, labels } = object.metadata;
  const { holderIdentity, renewTime } = membersIn(object['spec']);
  const renewedAtMs = typeof renewTime === 'string' ? Date.parse(renewTime) : Number.NaN;
  const ttlMs = Number(annotations[ttlNote]);
  if (typeof holderIdentity !== 'string' || !(renewedAtMs >= 0) || !(ttlMs > 0)) return undefined;
  const stated = membersIn(parse(annotations[instanceNote]));
  const { instance } = readInstance({ ...stated, lastHeartbeatMs: renewedAtMs });
  if (instance === undefined || instance.service !== labels[leaseServiceLabel]) return undefined;
  return { object, instance, holder: holderIdentity, ttlMs };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
