import type { Connection, ConnectionHandler } from '@heddle/kernel';

/** More than this is not held for a peer that is not reached yet. */
const heldBytes = 65_536;

/**
 * Passes bytes on between two connections, each way with the back-pressure of the other end, until both have ended. The
 * first is opened at once, as it must be; what it says before the second is there is held.
 */
export class TcpRelay {
  readonly #first: Connection;
  readonly #closed: () => void;
  #second: Connection | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #hasEnded = false;
  #open = 1;

  /** `closed`: nothing is open any more. */
  constructor(first: Connection, closed: () => void) {
    this.#first = first;
    this.#closed = closed;
    first.open({
      data: (chunk) => this.#fromFirst(chunk),
      end: () => {
        this.#hasEnded = true;
        this.#second?.end();
      },
      drain: () => this.#second?.resume(),
      close: (error) => this.#over(error, this.#second),
    });
  }

  /** The other end is there. It must not be open yet. */
  join(second: Connection): void {
    this.#second = second;
    this.#open += 1;
    second.open(this.#handlerOfSecond(second));
    for (const chunk of this.#held) second.write(chunk);
    this.#held = [];
    if (this.#hasEnded) second.end();
    this.#first.resume();
    // The first may have gone while the second was made.
    if (this.#open === 1) second.destroy();
  }

  /** Drops both. */
  destroy(): void {
    this.#first.destroy();
    this.#second?.destroy();
  }

  #handlerOfSecond(second: Connection): ConnectionHandler {
    return {
      data: (chunk) => {
        if (!this.#first.write(chunk)) second.pause();
      },
      end: () => this.#first.end(),
      drain: () => this.#first.resume(),
      close: (error) => this.#over(error, this.#first),
    };
  }

  #fromFirst(chunk: Uint8Array): void {
    if (this.#second !== undefined) {
      if (!this.#second.write(chunk)) this.#first.pause();
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes >= heldBytes) this.#first.pause();
  }

  #over(error: Error | undefined, other: Connection | undefined): void {
    this.#open -= 1;
    // One that broke off must not look like an end to the other.
    if (error !== undefined) other?.destroy();
    else other?.end();
    if (this.#open === 0) this.#closed();
  }
}
