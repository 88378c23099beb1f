import { HeddleError } from '@heddle/kernel';
import { type Instance, sameInstance } from '../registry/instance.ts';
import { comparePositions, type Position } from '../registry/snapshot.ts';
import type { FeedState } from '../registry/state-feed.ts';
import { readInstance } from '../registry/validate-instance.ts';
import { membersOf, positionOf } from './protocol.ts';

/** What applying a line did. `news`: the instances are others now. */
export type LineEffect = 'news' | 'nothing';

/**
 * A service as the lines of its watch describe it. Pure. An entry that is no valid instance of the service is left out
 * and counted; an instance that did not change stays the same object, also across a snapshot.
 */
export class ServiceView {
  readonly #service: string;
  #instances = new Map<string, Instance>();
  #position: Position | undefined;
  #list: readonly Instance[] | undefined;
  #refused = 0;

  /** `known`: what it goes on from. */
  constructor(service: string, known?: FeedState) {
    this.#service = service;
    this.#instances = new Map(known?.instances.map((instance) => [instance.id, instance]));
    this.#position = known?.position;
  }

  /** Undefined until the first line. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** How many entries were no valid instances. */
  get refused(): number {
    return this.#refused;
  }

  /** Sorted by id. */
  get instances(): readonly Instance[] {
    return [...this.#instances.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** All of it; `instances` is the same list as before if nothing has changed. */
  get state(): FeedState {
    this.#list ??= this.instances;
    return { instances: this.#list, position: this.#position ?? { term: 0, revision: 0 } };
  }

  /** Throws `data_loss` / `BAD_LINE` for what is no line of the protocol, or one that goes back in time. */
  apply(line: unknown): LineEffect {
    const position = positionOf(line);
    if (position === undefined) throw badLine('a term and a revision', line);
    const before = this.#position;
    if (before !== undefined && comparePositions(position, before) < 0)
      throw badLine('no step back in time', line);
    const { kind, instances, changes } = membersOf(line);
    const isNews = this.#applyContent(kind, instances ?? changes, line);
    this.#position = position;
    if (isNews) this.#list = undefined;
    return isNews || before === undefined ? 'news' : 'nothing';
  }

  #applyContent(kind: unknown, entries: unknown, line: unknown): boolean {
    if (kind === 'alive' && this.#position !== undefined) return false;
    if (!Array.isArray(entries)) throw badLine('a list of entries', line);
    if (kind === 'snapshot') return this.#replace(entries);
    if (kind !== 'changes' || this.#position === undefined) throw badLine('a snapshot first', line);
    let isNews = false;
    for (const entry of entries) {
      const { id, instance } = membersOf(entry);
      const changed =
        instance === undefined ? this.#instances.delete(String(id)) : this.#put(this.#instances, instance);
      isNews ||= changed;
    }
    return isNews;
  }

  #replace(entries: readonly unknown[]): boolean {
    const known = this.#instances;
    const next = new Map<string, Instance>();
    for (const entry of entries) this.#put(next, entry);
    let isNews = next.size !== known.size;
    for (const [id, instance] of next) {
      const old = known.get(id);
      if (old !== undefined && sameInstance(old, instance)) next.set(id, old);
      else isNews = true;
    }
    this.#instances = next;
    return isNews;
  }

  #put(into: Map<string, Instance>, entry: unknown): boolean {
    const { instance } = readInstance(entry);
    if (instance === undefined || instance.service !== this.#service) {
      this.#refused += 1;
      // What it replaces is no longer what the registry says, and what it says cannot be used.
      return into.delete(String(membersOf(entry)['id']));
    }
    const old = into.get(instance.id);
    if (old !== undefined && sameInstance(old, instance)) return false;
    into.set(instance.id, instance);
    return true;
  }
}

function badLine(expected: string, line: unknown): HeddleError {
  const found = JSON.stringify(line)?.slice(0, 200);
  const message = `expected ${expected} in a line of a watch, found ${found}`;
  return new HeddleError({ code: 'data_loss', reason: 'BAD_LINE', message });
}
