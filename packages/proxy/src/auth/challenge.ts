import type { HeddleError } from '@heddle/kernel';

const type = 'heddle.Challenge';

/** The error with what a 401 says about how to do better (`WWW-Authenticate`). */
export function challenged(error: HeddleError, challenge: string): HeddleError {
  return error.with({ details: [...error.details, { type, value: challenge }] });
}

/** What an error says for `WWW-Authenticate`. */
export function challengeOf(error: HeddleError): string | undefined {
  const found = error.details.find((detail) => detail.type === type)?.value;
  return typeof found === 'string' ? found : undefined;
}
