import { comparePositions, type Position, type Snapshot } from '@heddle/discovery';

/** What one instance should be: its weight, or undefined for "not there". */
type Wish = number | undefined;

interface Entry {
  wish: Wish;
  /** The registry has said that the wish is fulfilled, so it must survive whatever comes. */
  confirmed: boolean;
}

/** What keepers have asked a registry for, what it has confirmed, and what readers have seen of it. */
export class Book {
  readonly #entries = new Map<string, Entry>();
  #highest: Position = { term: 0, revision: 0 };
  #lastTerm = 0;
  #openings = 0;

  /** A keeper begins to ask. Until it is confirmed, the old and the new may both be found. */
  wish(id: string, weight: Wish): void {
    this.#entries.set(id, { wish: weight, confirmed: false });
  }

  /** The registry has confirmed the last wish. */
  confirm(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.confirmed = true;
  }

  /** How often the registry has started. */
  get openings(): number {
    return this.#openings;
  }

  /** How many wishes stand confirmed. */
  get confirmed(): number {
    return [...this.#entries.values()].filter(({ confirmed }) => confirmed).length;
  }

  /** To be called before a read, and the result after it: no read may see an older state than one that ended before. */
  beginRead(): (found: Position) => void {
    const floor = this.#highest;
    return (found) => {
      if (comparePositions(found, floor) < 0) {
        throw new Error(`read ${shown(found)} after somebody had read ${shown(floor)}`);
      }
      if (comparePositions(found, this.#highest) > 0) this.#highest = found;
    };
  }

  /** The registry has started from its disk, and nobody has reached it yet. Throws if it has forgotten anything. */
  checkOpened(found: Snapshot): void {
    this.#openings++;
    if (found.term <= this.#lastTerm) throw new Error(`term ${found.term} after term ${this.#lastTerm}`);
    this.#lastTerm = found.term;
    this.#compare(found, ({ confirmed }) => confirmed);
  }

  /** Long after the last wish. Throws unless all are fulfilled. */
  checkAll(found: Snapshot): void {
    this.#compare(found, () => true);
  }

  #compare(found: Snapshot, counts: (entry: Entry) => boolean): void {
    const weights = new Map(found.instances.map(({ id, weight }) => [id, weight]));
    for (const [id, entry] of this.#entries) {
      const weight = weights.get(id);
      if (!counts(entry) || weight === entry.wish) continue;
      throw new Error(`${id}: expected ${entry.wish ?? 'nothing'}, found ${weight ?? 'nothing'}`);
    }
  }
}

function shown({ term, revision }: Position): string {
  return `term ${term} revision ${revision}`;
}
