import { type Event, Event_EventType, type KeyValue } from '../../gen/etcd/rpc_pb.ts';
import { type Instance, sameInstance } from '../../registry/instance.ts';
import type { InstanceTexts } from '../../registry/instance-texts.ts';

/** A service as its keys describe it. Pure. An entry that is no instance of the service is left out and counted. */
export class EtcdView {
  readonly #service: string;
  readonly #texts: InstanceTexts;
  readonly #entries = new Map<string, Instance>();
  #list: readonly Instance[] | undefined;

  /** How many entries were no valid instances. */
  refused = 0;

  constructor(service: string, texts: InstanceTexts, kvs: readonly KeyValue[]) {
    this.#service = service;
    this.#texts = texts;
    for (const kv of kvs) this.#put(kv);
  }

  /** In any order; the same list as before if nothing has changed. Of two entries with one id the later one. */
  get instances(): readonly Instance[] {
    this.#list ??= [...new Map([...this.#entries.values()].map((each) => [each.id, each])).values()];
    return this.#list;
  }

  apply(events: readonly Event[]): void {
    for (const { type, kv } of events) {
      if (kv === undefined) continue;
      if (type === Event_EventType.PUT) this.#put(kv);
      else this.#remove(kv);
    }
  }

  #put(kv: KeyValue): void {
    const instance = this.#texts.read(kv.value);
    const key = keyOf(kv);
    if (instance === undefined || instance.service !== this.#service) {
      this.refused += 1;
      this.#remove(kv);
      return;
    }
    const old = this.#entries.get(key);
    if (old !== undefined && sameInstance(old, instance)) return;
    this.#entries.delete(key);
    this.#entries.set(key, instance);
    this.#list = undefined;
  }

  #remove(kv: KeyValue): void {
    if (this.#entries.delete(keyOf(kv))) this.#list = undefined;
  }
}

function keyOf({ key }: KeyValue): string {
  return new TextDecoder().decode(key);
}
