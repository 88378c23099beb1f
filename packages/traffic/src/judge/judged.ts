import {
  type Call,
  type Classify,
  HeddleError,
  type Meaning,
  type Result,
  type Service,
} from '@heddle/kernel';

/** Who wants to know what became of a call. Its functions must not throw. */
export interface Judge {
  /** The answer has begun, and the call goes on: it streams. Before `ended`, or not at all. */
  answered?(): void;
  /** What the whole call came to. Exactly once. `answered`: that was told before. */
  ended(meaning: Meaning, answered: boolean): void;
}

/**
 * Calls `next`, and tells `judge` once what became of it: at a rejection, at an end with an error (an answer that has
 * broken off is a failure, however well it began), and else when both the answer and the end are there. They come in
 * either order: where a layer below passes a child's end on, the call ends before its answer gets here.
 * What breaker, outlier ejection, failover and adaptive limits judge by.
 */
export function judged<Req, Res>(
  next: Service<Req, Res>,
  req: Req,
  call: Call,
  classify: Classify<Req, Res>,
  judge: Judge,
): Promise<Res> {
  const judgement = new Judgement(req, call, classify, judge);
  call.onEnd(({ error }) => judgement.end(error));
  const pending = next(req, call);
  // Told before whoever waits for the answer, who need not wait for one more promise.
  pending.then(
    (value) => judgement.answer(value),
    (thrown: unknown) => judgement.refusal(HeddleError.from(thrown)),
  );
  return pending;
}

/** What is known of one call that is judged. */
class Judgement<Req, Res> {
  readonly #req: Req;
  readonly #call: Call;
  readonly #classify: Classify<Req, Res>;
  readonly #judge: Judge;
  #meaning: Meaning | 'awaited' = 'awaited';
  #ended = false;
  #told = false;
  #answered = false;

  constructor(req: Req, call: Call, classify: Classify<Req, Res>, judge: Judge) {
    this.#req = req;
    this.#call = call;
    this.#classify = classify;
    this.#judge = judge;
  }

  end(error: HeddleError | undefined): void {
    this.#ended = true;
    const meaning = this.#meaning;
    // An answer that was a failure from the start stays that one failure.
    const failed = meaning === 'failure' || meaning === 'retryable';
    if (error !== undefined && !failed) this.#tell(this.#meaningOf({ ok: false, error }));
    else if (meaning !== 'awaited') this.#tell(meaning);
  }

  answer(value: Res): void {
    const meaning = this.#meaningOf({ ok: true, value });
    this.#meaning = meaning;
    if (this.#ended) this.#tell(meaning);
    // Otherwise its end follows at once.
    else if (!this.#told && this.#call.endDeferred) {
      this.#answered = true;
      this.#judge.answered?.();
    }
  }

  refusal(error: HeddleError): void {
    this.#tell(this.#meaningOf({ ok: false, error }));
  }

  /** A classifier that throws has broken its word: nobody waits for what is told here, so it must not end the process. */
  #meaningOf(result: Result<Res>): Meaning {
    try {
      return this.#classify(this.#req, result);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#call.runtime.log('error', 'a classifier has thrown, so the call counts as failed', { error });
      return 'failure';
    }
  }

  #tell(final: Meaning): void {
    if (this.#told) return;
    this.#told = true;
    this.#judge.ended(final, this.#answered);
  }
}
