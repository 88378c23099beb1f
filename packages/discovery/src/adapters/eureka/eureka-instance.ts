import type { Instance, InstanceState } from '../../registry/instance.ts';
import { type CarrierRules, carryFields, readCarried } from '../../registry/carried-fields.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import { readInstance } from '../../registry/validate-instance.ts';

/** What Eureka knows of the state of an instance. */
type EurekaStatus = 'UP' | 'DOWN' | 'STARTING' | 'OUT_OF_SERVICE' | 'UNKNOWN';

/** An instance as Eureka's JSON has it, as far as we look at it. */
export interface EurekaInstance {
  readonly instanceId?: unknown;
  readonly hostName?: unknown;
  readonly app?: unknown;
  readonly ipAddr?: unknown;
  readonly status?: unknown;
  readonly port?: { readonly $?: unknown };
  readonly vipAddress?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly leaseInfo?: { readonly lastRenewalTimestamp?: unknown };
  readonly lastDirtyTimestamp?: unknown;
  readonly actionType?: unknown;
}

/** An instance of ours, or of others, and what Eureka says beside it. */
export interface ReadEurekaInstance {
  readonly instance: Instance;
  /** Empty if others have registered it. */
  readonly lease: string;
  /** Grows with every change; a server keeps the entry with the larger one. */
  readonly dirtyMs: number;
}

// What other clients read as XML has the keys as names of elements.
const rules: CarrierRules = {
  prefix: 'heddle.',
  isKey: (key) => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key),
  isValue: () => true,
  longestValue: 16_384,
  mostEntries: 128,
};

const lacking = ['id', 'version', 'state', 'weight', 'zone', 'region', 'protocol', 'health', 'tags'] as const;

/**
 * The status for other clients. A server that knows an instance as UP or OUT_OF_SERVICE keeps that when the instance
 * registers as one of these two, so what gets no calls is DOWN, which it always takes over; the metadata say why.
 */
const statusOf: Readonly<Record<InstanceState, EurekaStatus>> = {
  starting: 'STARTING',
  running: 'UP',
  draining: 'DOWN',
  stopping: 'DOWN',
  stopped: 'DOWN',
  unhealthy: 'DOWN',
  maintenance: 'DOWN',
};

/** What a status of others means; OUT_OF_SERVICE is what an operator sets. */
const stateOf: Readonly<Record<string, InstanceState>> = {
  UP: 'running',
  STARTING: 'starting',
  DOWN: 'unhealthy',
  OUT_OF_SERVICE: 'maintenance',
  UNKNOWN: 'unhealthy',
};

/** The name of the application, which Eureka has in capitals. */
export function appOf(prefix: string, service: string): string {
  return `${prefix}${service}`.toUpperCase();
}

/** An id for any id: what a path may not hold is escaped. */
export function eurekaId(id: string): string {
  const escaped = [...new TextEncoder().encode(id)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      const hex = byte.toString(16).toUpperCase().padStart(2, '0');
      return /[A-Za-z0-9._:@-]/.test(sign) ? sign : `~${hex}`;
    })
    .join('');
  return /^\.\.?$/.test(escaped) ? escaped.replaceAll('.', '~2E') : escaped;
}

/**
 * The body of a registration. A server gives an entry twice the time of its lease after a renewal, and once after its
 * registration: so the lease is half of ours, in whole seconds.
 */
export function encodeInstance(
  prefix: string,
  { instance, lease, ttlMs }: LeasedInstance,
  dirtyMs: number,
): unknown {
  const { service, address, port, state } = instance;
  const durationInSecs = Math.max(1, Math.floor(ttlMs / 2000));
  return {
    instance: {
      instanceId: eurekaId(instance.id),
      app: appOf(prefix, service),
      hostName: address,
      ipAddr: address,
      status: statusOf[state],
      port: { $: port, '@enabled': 'true' },
      vipAddress: service,
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      leaseInfo: { durationInSecs, renewalIntervalInSecs: Math.max(1, Math.floor(durationInSecs / 2)) },
      metadata: carryFields(instance, lacking, rules, { lease, service }),
      lastDirtyTimestamp: String(dirtyMs),
    },
  };
}

/** Reads an entry of `service`; undefined for one that is none, or of a service whose name differs in capitals. */
export function decodeInstance(service: string, entry: EurekaInstance): ReadEurekaInstance | undefined {
  const texts = Object.entries(entry.metadata ?? {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string' && pair[0] !== '@class',
  );
  const { metadata, fields, extras } = readCarried(Object.fromEntries(texts), rules.prefix);
  if (extras['service'] !== undefined && extras['service'] !== service) return undefined;
  const isOurs = extras['lease'] !== undefined;
  const { instance } = readInstance({
    id: entry.instanceId,
    protocol: 'http',
    zone: isOurs ? undefined : metadata['zone'],
    version: isOurs ? undefined : metadata['version'],
    ...fields,
    service,
    // The host name of others is often one that only they can resolve.
    address: entry.ipAddr ?? entry.hostName,
    port: entry.port?.$,
    state: stateFrom(String(entry.status), fields.state),
    metadata,
    lastHeartbeatMs: Number(entry.leaseInfo?.lastRenewalTimestamp ?? 0),
  });
  if (instance === undefined) return undefined;
  return { instance, lease: extras['lease'] ?? '', dirtyMs: Number(entry.lastDirtyTimestamp ?? 0) };
}

/** What we have said, unless the server says otherwise: an operator may have taken it out of service. */
function stateFrom(status: string, carried: unknown): unknown {
  const said = Object.entries(statusOf).find(([state]) => state === carried);
  return said !== undefined && said[1] === status ? carried : (stateOf[status] ?? 'unhealthy');
}
