import type { Terminal } from './terminal.ts';

/** How far something is, for people: rewritten on a terminal, and silent elsewhere. */
export interface Counter {
  /** So many are done. */
  at(done: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Counts `what`, of `all` if that is known. */
export function counter(terminal: Terminal, what: string, all?: number): Counter {
  let shown = false;
  return {
    at: (done) => {
      if (!terminal.interactive) return;
      shown = true;
      terminal.err(`\r${done}${all === undefined ? '' : ` of ${all}`} ${what}\u001b[K`);
    },
    end: () => {
      if (shown) terminal.err('\r\u001b[K');
    },
  };
}
