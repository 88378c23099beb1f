// An instance in the words of Consul, and back.
import { type CarrierRules, carryFields, readCarried } from '../../registry/carried-fields.ts';
import type { Health, Instance } from '../../registry/instance.ts';
import { readInstance } from '../../registry/validate-instance.ts';
import type { ConsulCheckBody } from './consul-check.ts';

const prefix = 'heddle-';

/** What Consul takes as metadata of a service. */
const rules: CarrierRules = {
  prefix,
  isKey: (key) => /^[A-Za-z0-9_-]{1,128}$/.test(key) && !key.startsWith('consul-'),
  isValue: () => true,
  longestValue: 512,
  mostEntries: 64,
};

const lacking = [
  'id',
  'version',
  'state',
  'zone',
  'region',
  'protocol',
  'health',
  'lastHeartbeatMs',
] as const;

/** Names the entry with its agent, where ids of all services are side by side and are parts of paths. */
export function serviceId({ service, id }: Pick<Instance, 'service' | 'id'>): string {
  const isPlain = /^[A-Za-z0-9@:._[\]-]+$/.test(id) && !id.includes('..');
  return isPlain ? `${service}:${id}` : `${service}:~${Buffer.from(id).toString('hex')}`;
}

/** What tells one registration from another. */
export interface EntryMarks {
  readonly lease: string;
  /** Counts what was registered with the lease. */
  readonly put: string;
}

/** The marks of an entry with an agent, or in an answer of the health API; undefined where it is not there. */
export function marksOf(id: string, text: string): Partial<EntryMarks> | undefined {
  const parsed: unknown = JSON.parse(text);
  const services = Array.isArray(parsed) ? (parsed as Entry[]).map(({ Service }) => Service) : [parsed];
  const entry = (services as Entry['Service'][]).find((each) => each?.ID === id);
  return entry && readCarried(entry.Meta ?? {}, prefix).extras;
}

/** The body of a registration. Throws `METADATA_TOO_LARGE`. */
export function entryOf(instance: Instance, marks: EntryMarks, checks: readonly ConsulCheckBody[]): object {
  // Consul has no weight of 0.
  const fields = instance.weight === 0 ? ([...lacking, 'weight'] as const) : lacking;
  return {
    ID: serviceId(instance),
    Name: instance.service,
    Address: instance.address,
    Port: instance.port,
    Tags: instance.tags,
    Weights: { Passing: Math.max(1, instance.weight), Warning: Math.max(1, instance.weight) },
    Meta: carryFields(instance, fields, rules, { ...marks }),
    Checks: checks,
  };
}

/** What the health API says of an entry, as far as it is looked at; anything may be missing. */
interface Entry {
  readonly Node?: { readonly Address?: string };
  readonly Service?: {
    readonly ID?: string;
    readonly Service?: string;
    readonly Address?: string;
    readonly Port?: number;
    readonly Tags?: readonly string[] | null;
    readonly Meta?: Readonly<Record<string, string>> | null;
    readonly Weights?: { readonly Passing?: number };
    readonly CreateIndex?: number;
  };
  readonly Checks?: readonly { readonly CheckID?: string; readonly Status?: string }[] | null;
}

/** What an answer of the health API holds. */
export interface ConsulEntries {
  readonly instances: readonly Instance[];
  /** How many entries were no valid instances. */
  readonly refused: number;
}

/**
 * The instances in an answer of the health API. Left out: those whose lease has lapsed, though Consul keeps them for a
 * while, and those on a machine whose agent is gone. Of two with one id the one that was registered last.
 */
export function readEntries(service: string, text: string): ConsulEntries {
  const parsed: unknown = JSON.parse(text);
  const entries = Array.isArray(parsed) ? (parsed as Entry[]) : [];
  const found = new Map<string, readonly [Instance, number]>();
  let refused = 0;
  for (const entry of entries) {
    if (isGone(entry)) continue;
    const instance = readEntry(service, entry);
    const createIndex = entry.Service?.CreateIndex ?? 0;
    if (instance === undefined) refused += 1;
    else if ((found.get(instance.id)?.[1] ?? -1) < createIndex)
      found.set(instance.id, [instance, createIndex]);
  }
  return { instances: [...found.values()].map(([instance]) => instance), refused };
}

function isGone({ Checks: checks }: Entry): boolean {
  return (checks ?? []).some(({ CheckID: id = '', Status: status }) => {
    return status === 'critical' && (id.startsWith('heddle-lease:') || id === 'serfHealth');
  });
}

function readEntry(
  service: string,
  { Node: node, Service: entry, Checks: checks }: Entry,
): Instance | undefined {
  const { metadata, fields } = readCarried(entry?.Meta ?? {}, prefix);
  const checked = (checks ?? []).filter(({ CheckID: id = '' }) => {
    return !id.startsWith('heddle-lease:') && id !== 'serfHealth';
  });
  const own = { service: entry?.Service, port: entry?.Port, tags: entry?.Tags ?? [], metadata };
  const { instance } = readInstance({
    id: entry?.ID,
    weight: entry?.Weights?.Passing ?? 1,
    ...fields,
    ...own,
    // An entry without an address of its own is at its machine's.
    address: entry?.Address === undefined || entry.Address === '' ? node?.Address : entry.Address,
    ...(checked.length > 0 && { health: worst(checked.map(({ Status: status }) => status)) }),
  });
  return instance?.service === service ? instance : undefined;
}

function worst(statuses: readonly (string | undefined)[]): Health {
  if (statuses.includes('critical') || statuses.includes('maintenance')) return 'critical';
  return statuses.includes('warning') ? 'warning' : 'passing';
}
