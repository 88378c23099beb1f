import { HeddleError } from '@heddle/kernel';
import { WholeBody } from './body.ts';

/** Takes memory back of which nobody has any use any more. */
export interface Lender {
  giveBack(chunk: Uint8Array): void;
}

/**
 * Content that was read all at once, in the memory that it was read into. To everybody it is content that is all there.
 * Only a codec that is the first to look at it, and copies it out, may say that the memory can be used again:
 * from then on it has been read.
 */
export class ReceivedBody extends WholeBody {
  readonly #lender: Lender;
  /** The memory, as long as nobody else has seen it. */
  #lent: Uint8Array | undefined;
  #gone = false;

  /** The content is the end of `chunk`, from `at` on. */
  constructor(lender: Lender, chunk: Uint8Array, at: number) {
    super(chunk.subarray(at), undefined);
    this.#lender = lender;
    this.#lent = chunk;
  }

  override get whole(): Uint8Array {
    this.#lent = undefined;
    return this.content();
  }

  override content(): Uint8Array {
    if (this.#gone) {
      const message = 'the body has been passed on; keep its bytes before that, to read it twice';
      throw new HeddleError({ code: 'failed_precondition', reason: 'BODY_ALREADY_READ', message });
    }
    return super.content();
  }

  override copied(): void {
    const lent = this.#lent;
    if (lent === undefined) return;
    this.#lent = undefined;
    this.#gone = true;
    this.#lender.giveBack(lent);
  }
}
