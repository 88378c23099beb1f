import { type Call, HeddleError } from '@heddle/kernel';
import { type HttpResponse, statusOfCode } from '@heddle/wire';

const cancelledStatus = 499;

/** How an HTTP exchange went. */
export interface Exchange {
  /** The answer, if there was one. */
  readonly answer: HttpResponse | undefined;
  /** Why there was none, or why it broke off. */
  readonly error: HeddleError | undefined;
  /** From the request's first byte to the answer's last. */
  readonly seconds: number;
}

/**
 * Calls `finished` once, when both the result and the end of the call are known. They come in either order: a short
 * answer is gone before this layer sees it, a streaming one long after; and what is an error here may be an answer
 * above, so that the call itself ends well.
 */
export function watchExchange(
  call: Call,
  pending: Promise<HttpResponse>,
  finished: (exchange: Exchange) => void,
): Promise<HttpResponse> {
  const { startMs } = call;
  let result: Omit<Exchange, 'seconds'> | undefined;
  let ended: { readonly error: HeddleError | undefined; readonly seconds: number } | undefined;
  const tell = (): void => {
    if (result === undefined || ended === undefined) return;
    finished({ answer: result.answer, error: result.error ?? ended.error, seconds: ended.seconds });
  };
  call.onEnd(({ error }) => {
    ended = { error, seconds: (call.endMs - startMs) / 1000 };
    tell();
  });
  return pending.then(
    (answer) => {
      result = { answer, error: undefined };
      tell();
      return answer;
    },
    (thrown: unknown) => {
      result = { answer: undefined, error: HeddleError.from(thrown) };
      tell();
      throw thrown;
    },
  );
}

/** 499 if the caller left, the answer's if there was one, else what the edge makes of the error. */
export function statusOfExchange({ answer, error }: Exchange): number {
  if (error?.code === 'cancelled') return cancelledStatus;
  if (answer !== undefined) return answer.status;
  return error === undefined ? 500 : statusOfCode(error.code);
}
