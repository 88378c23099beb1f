import type { Consumption, Contract } from '../contract/contract.ts';
import { contractHash } from '../contract/contract.ts';
import type { ContractChange } from '../change/contract-change.ts';
import { contractChanges } from '../change/contract-changes.ts';

/** A contract that was taken for good, from when on. */
export interface CatalogueVersion {
  /** From 1. */
  readonly number: number;
  /** See `contractHash`. */
  readonly hash: string;
  readonly contract: Contract;
  /** What the instance that brought it said of its code; may be empty. */
  readonly serviceVersion: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** Against the version before. */
  readonly changes: readonly ContractChange[];
  /** Who let it in although it breaks; undefined: nobody had to. */
  readonly approvedBy?: string | undefined;
}

/** A service that would be broken. */
export interface BrokenConsumer {
  readonly service: string;
  /** Those that it uses of what breaks; empty: it is not known which, and it uses the service. */
  readonly operations: readonly string[];
  /** How that is known: it says so itself, or it was seen to call. */
  readonly known: 'declared' | 'calls';
}

/** A contract that was refused, and whom it would have broken. */
export interface QuarantineRecord {
  readonly hash: string;
  readonly contract: Contract;
  readonly serviceVersion: string;
  /** The instances that brought it. */
  readonly instances: readonly string[];
  readonly atMs: number;
  /** The version that it was compared with. */
  readonly against: number;
  /** Those that break. */
  readonly changes: readonly ContractChange[];
  readonly consumers: readonly BrokenConsumer[];
}

/** All that is known of the contracts of one service. */
export interface CatalogueEntry {
  readonly service: string;
  /** The newest last. */
  readonly versions: readonly CatalogueVersion[];
  /** The newest last. */
  readonly quarantined: readonly QuarantineRecord[];
}

/** What an instance brings. */
export interface OfferedContract {
  readonly service: string;
  readonly instance: string;
  readonly serviceVersion: string;
  readonly contract: Contract;
}

/** Who uses a service: what others declare, and what they were seen to do. */
export interface ConsumerUse extends Consumption {
  /** The one who uses it. */
  readonly consumer: string;
  readonly known: BrokenConsumer['known'];
}

/** What became of an offer. */
export interface CatalogueVerdict {
  readonly entry: CatalogueEntry;
  /** `known`: it is there already. `taken`: a new version. `warned`: taken though it breaks. `quarantined`: refused. */
  readonly verdict: 'known' | 'taken' | 'warned' | 'quarantined';
  /** With `warned` and `quarantined`. */
  readonly record?: QuarantineRecord;
}

const keptVersions = 50;
const keptRecords = 20;

/**
 * Decides about what an instance brings. A contract that is one of the versions is let in whatever the newest is, so that a
 * rolling update and its way back go through. One that breaks what the newest version promises is refused, or with
 * `onBreaking: 'warn'` taken with a record.
 */
export function offered(
  entry: CatalogueEntry | undefined,
  offer: OfferedContract,
  uses: readonly ConsumerUse[],
  onBreaking: 'quarantine' | 'warn',
  nowMs: number,
): CatalogueVerdict {
  const before = entry ?? { service: offer.service, versions: [], quarantined: [] };
  const hash = contractHash(offer.contract);
  if (before.versions.some((version) => version.hash === hash)) return { entry: before, verdict: 'known' };
  const newest = before.versions.at(-1);
  const changes = newest === undefined ? [] : contractChanges(newest.contract, offer.contract);
  const breaking = changes.filter(({ level }) => level === 'breaking');
  if (newest === undefined || breaking.length === 0)
    return { entry: withVersion(before, offer, hash, changes, nowMs), verdict: 'taken' };
  const earlier = before.quarantined.find((record) => record.hash === hash);
  const isTold = earlier?.against === newest.number && earlier.instances.includes(offer.instance);
  if (earlier !== undefined && isTold && onBreaking === 'quarantine')
    return { entry: before, verdict: 'quarantined', record: earlier };
  const record: QuarantineRecord = {
    hash,
    contract: offer.contract,
    serviceVersion: offer.serviceVersion,
    instances: [...new Set([...(earlier?.instances ?? []), offer.instance])].slice(-100),
    atMs: earlier?.atMs ?? nowMs,
    against: newest.number,
    changes: breaking,
    consumers: brokenBy(breaking, uses),
  };
  if (onBreaking === 'warn')
    return { entry: withVersion(before, offer, hash, changes, nowMs), verdict: 'warned', record };
  const others = before.quarantined.filter((one) => one.hash !== hash);
  const quarantined = [...others, record].slice(-keptRecords);
  return { entry: { ...before, quarantined }, verdict: 'quarantined', record };
}

/** Takes a contract out of quarantine and makes it the newest version. Undefined: there is no such record. */
export function approved(
  entry: CatalogueEntry,
  hash: string,
  by: string,
  nowMs: number,
): CatalogueEntry | undefined {
  const record = entry.quarantined.find((one) => one.hash === hash);
  if (record === undefined) return undefined;
  const { contract, serviceVersion } = record;
  const newest = entry.versions.at(-1);
  const changes = newest === undefined ? [] : contractChanges(newest.contract, contract);
  const offer = { service: entry.service, instance: '', serviceVersion, contract };
  const taken = withVersion(entry, offer, hash, changes, nowMs, by);
  return { ...taken, quarantined: entry.quarantined.filter((one) => one.hash !== hash) };
}

function withVersion(
  entry: CatalogueEntry,
  { contract, serviceVersion }: OfferedContract,
  hash: string,
  changes: readonly ContractChange[],
  sinceMs: number,
  approvedBy?: string,
): CatalogueEntry {
  const number = (entry.versions.at(-1)?.number ?? 0) + 1;
  const version: CatalogueVersion = {
    number,
    hash,
    contract,
    serviceVersion,
    sinceMs,
    changes,
    ...(approvedBy !== undefined && { approvedBy }),
  };
  return { ...entry, versions: [...entry.versions, version].slice(-keptVersions) };
}

/** Who uses something that changes break. A change of the whole service breaks all of its users. */
export function brokenBy(
  changes: readonly ContractChange[],
  uses: readonly ConsumerUse[],
): readonly BrokenConsumer[] {
  const touched = new Set(changes.flatMap(({ operations }) => operations));
  const isWhole = changes.some(({ operations }) => operations.length === 0);
  const broken = new Map<string, BrokenConsumer>();
  for (const { consumer, operations = [], known } of uses) {
    const hit = operations.filter((operation) => touched.has(operation));
    if (operations.length > 0 && hit.length === 0 && !isWhole) continue;
    const earlier = broken.get(consumer);
    const all = [...new Set([...(earlier?.operations ?? []), ...hit])];
    // What was seen is better evidence than what was said.
    broken.set(consumer, {
      service: consumer,
      operations: all,
      known: earlier?.known === 'calls' ? 'calls' : known,
    });
  }
  return [...broken.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1));
}
