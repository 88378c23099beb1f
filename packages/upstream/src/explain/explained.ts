import { attempt, type Call, type Classify, type HeddleError, type Layer } from '@heddle/kernel';
import type { DecisionLog } from './decision-log.ts';
import { Recording, recording } from './recording.ts';
import { type RecordedBy, render } from './render.ts';

/** What `explained` needs to know. */
export interface ExplainedOptions<Req, Res> extends Omit<RecordedBy, 'process'> {
  readonly log: DecisionLog;
  /** Names the call: `shop.order.v1.OrderService/Get`. */
  readonly operation: (req: Req) => string;
  readonly classify: Classify<Req, Res>;
  /** What a result says that is a value: `status 503`. Default: nothing. */
  readonly answer?: (res: Res) => string;
}

/**
 * Records what is decided about each call, and keeps it of every call that failed, that was tried more than once, or
 * that is drawn for a sample. Stands above all that decides; `explainedAttempt` stands below what repeats.
 *
 * A call has failed if its result means so, or if it ended in this process without having been sent: what the
 * application answered (`not_found`) is no failure.
 */
export function explained<Req, Res>(options: ExplainedOptions<Req, Res>): Layer<Req, Res> {
  const { log, operation, classify, answer } = options;
  const by: RecordedBy = { ...options, process: log.process };
  return (next) => (req, call) => {
    const recorded = new Recording(operation(req), call.runtime.clock.nowMs());
    call.set(recording, recorded);
    call.onEnd(({ error }) => {
      const failed = error === undefined ? recorded.failed : isFailure(error, req, classify);
      if (failed || recorded.attempts.length > 1 || call.runtime.random.float() < log.sampleRatio)
        log.add(render(by, recorded, call, failed ? error : undefined));
    });
    const pending = next(req, call);
    if (answer === undefined) return pending;
    return pending.then((value) => {
      const meaning = classify(req, { ok: true, value });
      recorded.answer = answer(value);
      recorded.failed = meaning === 'retryable' || meaning === 'failure';
      return value;
    });
  };
}

function isFailure<Req, Res>(error: HeddleError, req: Req, classify: Classify<Req, Res>): boolean {
  const meaning = classify(req, { ok: false, error });
  // A certificate that is not believed is "unauthenticated", which otherwise is the application's answer.
  return meaning === 'retryable' || meaning === 'failure' || (meaning === 'success' && !error.sent);
}

/** Notes each attempt of a call that is recorded. */
export function explainedAttempt<Req, Res>(answer?: (res: Res) => string): Layer<Req, Res> {
  return (next) => (req, call) => {
    const notes = begin(call);
    const pending = next(req, call);
    if (answer === undefined || notes === undefined) return pending;
    return pending.then((value) => {
      notes.answer = answer(value);
      return value;
    });
  };
}

function begin(call: Call): ReturnType<Recording['attempt']> | undefined {
  return call.get(recording)?.attempt(call, call.get(attempt));
}
