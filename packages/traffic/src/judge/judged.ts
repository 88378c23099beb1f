import { type Call, type Classify, HeddleError, type Meaning, type Service } from '@heddle/kernel';

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
export async function judged<Req, Res>(
  next: Service<Req, Res>,
  req: Req,
  call: Call,
  classify: Classify<Req, Res>,
  judge: Judge,
): Promise<Res> {
  let meaning: Meaning | 'awaited' = 'awaited';
  let ended = false;
  let told = false;
  let answered = false;
  const tell = (final: Meaning): void => {
    if (told) return;
    told = true;
    judge.ended(final, answered);
  };
  call.onEnd(({ error }) => {
    ended = true;
    // An answer that was a failure from the start stays that one failure.
    const failed = meaning === 'failure' || meaning === 'retryable';
    if (error !== undefined && !failed) tell(classify(req, { ok: false, error }));
    else if (meaning !== 'awaited') tell(meaning);
  });
  let value: Res;
  try {
    value = await next(req, call);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    tell(classify(req, { ok: false, error }));
    throw error;
  }
  meaning = classify(req, { ok: true, value });
  if (ended) tell(meaning);
  else if (!told) {
    answered = true;
    judge.answered?.();
  }
  return value;
}
