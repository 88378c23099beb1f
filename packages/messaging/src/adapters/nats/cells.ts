import { HeddleError } from '@heddle/kernel';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { apiCodes, hasApiCode, natsError } from './nats-error.ts';

/** A value and the revision by which it is changed; revision 0: there is none yet. */
export interface Cell<T> {
  readonly value: T | undefined;
  readonly revision: number;
}

const mostTries = 50;

/**
 * Values by subject, each changed only from the revision that was seen: the last messages of a stream's subjects, as
 * NATS' own key-value buckets are.
 */
export class Cells {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;

  constructor(js: JetStreamClient, jsm: JetStreamManager, stream: string) {
    this.#js = js;
    this.#jsm = jsm;
    this.#stream = stream;
  }

  async read<T>(subject: string): Promise<Cell<T>> {
    const { found, revision } = await this.#last(subject);
    return { value: found === undefined ? undefined : (found.json() as T), revision };
  }

  /** The new revision, or undefined if it has changed since. */
  async write(subject: string, value: unknown, revision: number): Promise<number | undefined> {
    try {
      const ack = await this.#js.publish(subject, JSON.stringify(value), {
        expect: { streamName: this.#stream, lastSubjectSequence: revision },
      });
      return ack.seq;
    } catch (thrown) {
      if (hasApiCode(thrown, apiCodes.wrongLastSequence)) return undefined;
      throw natsError(thrown);
    }
  }

  /** Computes a new value from the one there is, until nobody was faster. `change` returns undefined to leave it. */
  async change<T>(subject: string, change: (value: T | undefined) => T | undefined): Promise<Cell<T>> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const cell = await this.read<T>(subject);
      const value = change(cell.value);
      if (value === undefined) return cell;
      const revision = await this.write(subject, value, cell.revision);
      if (revision !== undefined) return { value, revision };
    }
    const message = `${subject} changes too fast`;
    throw new HeddleError({ code: 'unavailable', reason: 'GROUP_BUSY', message, sent: false });
  }

  /** The time of the server, in milliseconds since 1970: that of a message that is written for this alone. */
  async nowMs(subject: string): Promise<number> {
    try {
      await this.#js.publish(subject, '', { expect: { streamName: this.#stream } });
    } catch (thrown) {
      throw natsError(thrown);
    }
    const { found } = await this.#last(subject);
    return found?.time.getTime() ?? 0;
  }

  /** Those that match and have a value. */
  async subjects(filter: string): Promise<readonly string[]> {
    try {
      const { state } = await this.#jsm.streams.info(this.#stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {});
    } catch (thrown) {
      throw natsError(thrown);
    }
  }

  /** Removes all that match. */
  async purge(subjects: string): Promise<void> {
    try {
      await this.#jsm.streams.purge(this.#stream, { filter: subjects });
    } catch (thrown) {
      throw natsError(thrown);
    }
  }

  async #last(subject: string): Promise<{
    readonly found: { readonly time: Date; json(): unknown } | undefined;
    readonly revision: number;
  }> {
    try {
      const found = await this.#jsm.streams.getMessage(this.#stream, { last_by_subj: subject });
      return found === null ? { found: undefined, revision: 0 } : { found, revision: found.seq };
    } catch (thrown) {
      if (hasApiCode(thrown, apiCodes.messageNotFound)) return { found: undefined, revision: 0 };
      throw natsError(thrown);
    }
  }
}
