import type { MessageInitShape } from '@bufbuild/protobuf';
import { HeddleError, type Runtime } from '@heddle/kernel';
import {
  Compare_CompareTarget,
  type CompareSchema,
  type RequestOpSchema,
  type TxnResponse,
} from '../../gen/etcd/rpc_pb.ts';
import { type Health, type Instance, sameInstance } from '../../registry/instance.ts';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { leaseLost, leaseSuperseded } from '../../registry/lease-error.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import type { EtcdClient } from './etcd-client.ts';
import type { EtcdKeys } from './etcd-keys.ts';

/** With what `KeptRegistration.release` waits for before, below the 5 s that an app has for deregistering. */
const removeTimeoutMs = 2000;

/**
 * Leases in etcd: one for each entry, whose number is made of our own name of it, so that any process that knows the
 * name can renew it. An entry belongs to whoever's lease it hangs on.
 */
export class EtcdLeases implements LeaseClient {
  readonly #client: EtcdClient;
  readonly #keys: EtcdKeys;
  readonly #runtime: Runtime;
  /** What this process has put, by lease. */
  readonly #put = new Map<string, Instance>();

  constructor(client: EtcdClient, keys: EtcdKeys, runtime: Runtime) {
    this.#client = client;
    this.#keys = keys;
    this.#runtime = runtime;
  }

  async put({ instance, lease, ttlMs }: LeasedInstance, fresh: boolean): Promise<void> {
    const number = leaseNumber(lease);
    const isRenewed = this.#put.has(lease) && (await this.#client.keepAlive(number));
    if (!isRenewed) await this.#client.grant(number, ttlMs);
    const key = this.#keys.of(instance);
    const put = this.#putOf(key, instance, number);
    // Another's entry stays; one that is not there is made. Whoever is new takes it in any case.
    const orNew: Op = {
      request: { case: 'requestTxn', value: { compare: [isAbsent(key)], success: [put] } },
    };
    const { succeeded, responses } = await this.#client.txn(
      fresh ? { success: [put] } : { compare: [isOurs(key, number)], success: [put], failure: [orNew] },
    );
    if (!succeeded && !innerSucceeded(responses)) throw leaseSuperseded(instance.service, instance.id);
    this.#put.set(lease, instance);
  }

  async renew(service: string, id: string, lease: string, health: Health | undefined): Promise<void> {
    const number = leaseNumber(lease);
    const key = this.#keys.of({ service, id });
    const known = this.#put.get(lease);
    const stated = known && { ...known, health: health ?? known.health };
    const isNews = known !== undefined && stated !== undefined && !sameInstance(known, stated);
    const [isAlive, { succeeded, responses }] = await Promise.all([
      this.#client.keepAlive(number),
      this.#client.txn({
        compare: [isOurs(key, number)],
        success: isNews ? [this.#putOf(key, stated, number)] : [],
        failure: [{ request: { case: 'requestRange', value: { key, keysOnly: true } } }],
      }),
    ]);
    if (!succeeded && isThere(responses)) throw leaseSuperseded(service, id);
    if (!succeeded || !isAlive) throw leaseLost(service, id);
    if (isNews) this.#put.set(lease, stated);
  }

  async remove(_service: string, _id: string, lease: string): Promise<void> {
    this.#put.delete(lease);
    await this.#client.revoke(leaseNumber(lease), removeTimeoutMs);
  }

  #putOf(key: Uint8Array, instance: Instance, lease: bigint): Op {
    const lastHeartbeatMs = Math.max(0, Math.floor(this.#runtime.clock.wallMs()));
    const value = new TextEncoder().encode(JSON.stringify({ ...instance, lastHeartbeatMs }));
    return { request: { case: 'requestPut', value: { key, value, lease } } };
  }
}

type Op = MessageInitShape<typeof RequestOpSchema>;
type Condition = MessageInitShape<typeof CompareSchema>;

function isOurs(key: Uint8Array, lease: bigint): Condition {
  return { key, target: Compare_CompareTarget.LEASE, targetUnion: { case: 'lease', value: lease } };
}

function isAbsent(key: Uint8Array): Condition {
  return { key, target: Compare_CompareTarget.VERSION, targetUnion: { case: 'version', value: 0n } };
}

function innerSucceeded([first]: TxnResponse['responses']): boolean {
  return first?.response.case === 'responseTxn' && first.response.value.succeeded;
}

function isThere([first]: TxnResponse['responses']): boolean {
  return first?.response.case === 'responseRange' && first.response.value.kvs.length > 0;
}

/** 63 bits of our name of a lease, which is a UUID: etcd's numbers are positive. */
export function leaseNumber(lease: string): bigint {
  const digits = lease.replaceAll('-', '').slice(0, 16);
  if (!/^[0-9a-f]{16}$/i.test(digits)) throw noUuid(lease);
  return BigInt(`0x${digits}`) & 0x7fff_ffff_ffff_ffffn;
}

function noUuid(lease: string): HeddleError {
  const message = `expected the UUID of a lease, found ${JSON.stringify(lease)}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_LEASE', message, sent: false });
}
