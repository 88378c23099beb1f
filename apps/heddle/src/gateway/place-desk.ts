/** What the desk wants to be told to workers. */
export type PlaceMessage<W> =
  /** So many more are the worker's; 0: all are taken. Answers its one ask. */
  | { readonly kind: 'granted'; readonly worker: W; readonly count: number }
  /** Give back what is not used. */
  | { readonly kind: 'recall'; readonly worker: W };

interface Lease<W> {
  readonly worker: W;
  granted: number;
  /** Its ask, until it is answered. */
  wanted: number;
  /** Asked to give back, and has not answered. */
  recalled: boolean;
}

/**
 * Shares the places for requests out among workers, in lots, so that nearly no request has to ask. Never more than `max`
 * are out; and an ask is refused only when nobody has one to spare. Messages go through `send`.
 */
export class PlaceDesk<W> {
  readonly #leases = new Map<W, Lease<W>>();
  readonly #send: (message: PlaceMessage<W>) => void;
  #max: number;

  constructor(max: number, send: (message: PlaceMessage<W>) => void) {
    this.#max = max;
    this.#send = send;
  }

  /** With fewer than before, none is given out until enough have come back. */
  set max(max: number) {
    this.#max = max;
    for (const lease of this.#leases.values()) if (this.#free < 0) this.#recall(lease);
    this.#serve();
  }

  /** A worker has none left, and that many requests wait. */
  ask(worker: W, wanted: number): void {
    const lease = this.#leaseOf(worker);
    lease.wanted = wanted;
    if (this.#free <= 0) for (const each of this.#leases.values()) if (each !== lease) this.#recall(each);
    this.#serve();
  }

  /** What a worker had to spare; the answer to a recall. */
  back(worker: W, count: number): void {
    const lease = this.#leaseOf(worker);
    lease.granted -= count;
    lease.recalled = false;
    this.#serve();
  }

  /** The worker has died, and its requests with it. */
  gone(worker: W): void {
    this.#leases.delete(worker);
    this.#serve();
  }

  get #free(): number {
    let out = 0;
    for (const { granted } of this.#leases.values()) out += granted;
    return this.#max - out;
  }

  #serve(): void {
    for (const lease of this.#leases.values()) {
      if (lease.wanted === 0) continue;
      const free = this.#free;
      if (free <= 0) {
        // Somebody may still give one back.
        const isOpen = [...this.#leases.values()].some((each) => each !== lease && each.recalled);
        if (!isOpen) this.#grant(lease, 0);
        continue;
      }
      // A lot is a part of what is left, so that the last ones are not all with one worker.
      const lot = Math.max(lease.wanted, Math.floor(free / (2 * this.#leases.size)));
      this.#grant(lease, Math.min(free, lot));
    }
  }

  #grant(lease: Lease<W>, count: number): void {
    lease.granted += count;
    lease.wanted = 0;
    this.#send({ kind: 'granted', worker: lease.worker, count });
  }

  #recall(lease: Lease<W>): void {
    if (lease.recalled || lease.granted === 0) return;
    lease.recalled = true;
    this.#send({ kind: 'recall', worker: lease.worker });
  }

  #leaseOf(worker: W): Lease<W> {
    const known = this.#leases.get(worker);
    if (known !== undefined) return known;
    const made: Lease<W> = { worker, granted: 0, wanted: 0, recalled: false };
    this.#leases.set(worker, made);
    return made;
  }
}
