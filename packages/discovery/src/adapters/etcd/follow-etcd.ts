import type { Call, Runtime } from '@heddle/kernel';
import type { ResponseHeader } from '../../gen/etcd/rpc_pb.ts';
import type { History } from '../../registry/history.ts';
import type { InstanceTexts } from '../../registry/instance-texts.ts';
import type { Position } from '../../registry/snapshot.ts';
import type { FeedState } from '../../registry/state-feed.ts';
import type { EtcdClient } from './etcd-client.ts';
import type { EtcdKeys } from './etcd-keys.ts';
import { EtcdView } from './etcd-view.ts';
import { etcdWatch } from './etcd-watch.ts';

/** What is read, and with what. */
export interface EtcdReading {
  readonly runtime: Runtime;
  readonly client: EtcdClient;
  readonly keys: EtcdKeys;
  readonly eras: EtcdEras;
  readonly texts: InstanceTexts;
}

/**
 * Tells the lives of a cluster apart. A cluster that was wiped may have the same id, and counts its revisions and its
 * leaders' terms from the beginning: an answer that is behind what was known when it was asked for is of a new life.
 */
export class EtcdEras {
  readonly #history: History;
  #clusterId = 0n;
  #revision = 0n;
  #raftTerm = 0n;

  constructor(history: History) {
    this.#history = history;
  }

  /** Asks, and gives the answer with its position. */
  async placing<T extends { readonly header?: ResponseHeader | undefined }>(
    ask: () => Promise<T>,
  ): Promise<readonly [T, Position]> {
    const [revision, raftTerm] = [this.#revision, this.#raftTerm];
    const answer = await ask();
    const { header } = answer;
    const isOther = this.#clusterId !== 0n && header?.clusterId !== this.#clusterId;
    // Another question may have found that out meanwhile, and this one was asked before.
    const isKnown = revision > this.#revision || raftTerm > this.#raftTerm;
    const isBehind = (header?.revision ?? 0n) < revision || (header?.raftTerm ?? 0n) < raftTerm;
    if (isOther || (isBehind && !isKnown)) this.#beginAnew();
    return [answer, this.note(header)];
  }

  /** The position of an answer in the present life. */
  note(header: ResponseHeader | undefined, revision: bigint = header?.revision ?? 0n): Position {
    this.#clusterId = header?.clusterId ?? 0n;
    if (revision > this.#revision) this.#revision = revision;
    if (header !== undefined && header.raftTerm > this.#raftTerm) this.#raftTerm = header.raftTerm;
    return this.#history.at(Number(revision));
  }

  #beginAnew(): void {
    this.#revision = 0n;
    this.#raftTerm = 0n;
    this.#history.beginAnew();
  }
}

/** Asks once for a service's entries. */
export async function findEtcd(reading: EtcdReading, service: string): Promise<FeedState> {
  const { client, keys, eras, texts } = reading;
  const [{ kvs }, position] = await eras.placing(() => client.range(keys.ofService(service)));
  const view = new EtcdView(service, texts, kvs);
  tellRefused(reading, service, view);
  return { instances: view.instances, position };
}

/**
 * A `Follow` of etcd: the service's entries, then every change after that revision. It reads them anew whenever the
 * stream breaks, so a compacted revision or a wiped server costs one more reading and loses nothing.
 */
export async function* followEtcd(
  reading: EtcdReading,
  service: string,
  call: Call,
): AsyncGenerator<FeedState, void> {
  const { runtime, client, keys, eras, texts } = reading;
  const range = keys.ofService(service);
  const [{ kvs, header }, found] = await eras.placing(() => client.range(range));
  const view = new EtcdView(service, texts, kvs);
  tellRefused(reading, service, view);
  let position = found;
  yield { instances: view.instances, position };
  for await (const answer of etcdWatch(runtime, client, range, (header?.revision ?? 0n) + 1n, call)) {
    const last = answer.events.at(-1)?.kv?.modRevision;
    if (last !== undefined) {
      const { refused } = view;
      view.apply(answer.events);
      if (view.refused > refused) tellRefused(reading, service, view);
      position = eras.note(answer.header, last);
    }
    yield { instances: view.instances, position };
  }
}

function tellRefused({ runtime }: EtcdReading, service: string, { refused }: EtcdView): void {
  if (refused > 0) runtime.log('warn', 'etcd has entries that are no instances', { service, count: refused });
}
