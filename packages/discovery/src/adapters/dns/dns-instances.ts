import type { Instance } from '../../registry/instance.ts';
import { readInstance } from '../../registry/validate-instance.ts';
import type { DnsAnswer, DnsClient } from './dns-client.ts';
import type { DnsRecord, SrvData } from './dns-message.ts';

/** What to ask for a service: SRV records, or the addresses of a name that all serve at one port. */
export type DnsQuestion =
  | { readonly kind: 'srv'; readonly name: string }
  | { readonly kind: 'address'; readonly name: string; readonly port: number };

/** The instances that DNS has, sorted by id, and how long that holds. */
export interface DnsFinding {
  readonly instances: readonly Instance[];
  readonly ttlMs: number;
}

/** Asks for a service's instances. Rejects as `DnsClient.ask`. */
export async function findInstances(
  client: DnsClient,
  service: string,
  question: DnsQuestion,
): Promise<DnsFinding> {
  if (question.kind === 'srv') return findBySrv(client, service, question.name);
  const { addresses, ttlMs } = await addressesOf(client, question.name);
  const places = addresses.map((address) => ({ address, port: question.port, weight: 100 }));
  return { instances: instancesOf(service, places), ttlMs };
}

/**
 * RFC 2782: of the priorities only the lowest number is called; the others stand by with weight 0, and their priority
 * in `metadata`. Weights are shares; where all are 0, all are alike, and a 0 beside others gets the least there is.
 */
async function findBySrv(client: DnsClient, service: string, name: string): Promise<DnsFinding> {
  const answer = await client.ask(name, 'SRV');
  const services = answer.records.flatMap((record) => (record.type === 'SRV' ? [record.data] : []));
  // A target of "." says that there is no such service.
  const there = services.filter(({ target, port }) => target !== '' && port > 0);
  const best = Math.min(...there.map(({ priority }) => priority));
  const isWeighted = there.some(({ priority, weight }) => priority === best && weight > 0);
  let { ttlMs } = answer;
  const places: Place[] = [];
  for (const srv of there) {
    const { addresses, ttlMs: addressTtlMs } = await targetOf(client, srv, answer);
    ttlMs = Math.min(ttlMs, addressTtlMs);
    const weight = srv.priority > best ? 0 : isWeighted ? Math.max(1, srv.weight) : 100;
    const metadata = { 'dns.priority': String(srv.priority), 'dns.target': srv.target };
    for (const address of addresses) places.push({ address, port: srv.port, weight, metadata });
  }
  return { instances: instancesOf(service, places), ttlMs };
}

interface Place {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Addresses {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

/** From what came along, if there was something; else by asking. */
async function targetOf(client: DnsClient, { target }: SrvData, answer: DnsAnswer): Promise<Addresses> {
  const along = answer.additionals.filter(({ name }) => name === target).flatMap(addressIn);
  if (along.length === 0) return addressesOf(client, target);
  return { addresses: along, ttlMs: answer.ttlMs };
}

async function addressesOf(client: DnsClient, name: string): Promise<Addresses> {
  const answers = await Promise.all([client.ask(name, 'A'), client.ask(name, 'AAAA')]);
  const addresses = answers.flatMap(({ records }) => records.flatMap(addressIn));
  // A family that the name does not have is no reason to ask more often.
  const counting = addresses.length === 0 ? answers : answers.filter(({ records }) => records.length > 0);
  return { addresses, ttlMs: Math.min(...counting.map(({ ttlMs }) => ttlMs)) };
}

function addressIn(record: DnsRecord): string[] {
  return record.type === 'A' || record.type === 'AAAA' ? [record.data] : [];
}

function instancesOf(service: string, places: readonly Place[]): readonly Instance[] {
  const byId = new Map<string, Instance>();
  for (const place of places) {
    const { instance } = readInstance({ service, ...place });
    if (instance !== undefined) byId.set(instance.id, instance);
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
