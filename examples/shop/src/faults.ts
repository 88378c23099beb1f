import { type Code, codes } from '@heddle/kernel';
import type { Faults } from '@heddle/traffic';
import { invalid, integerOf, type Json, objectOf } from './fields.ts';

/**
 * Reads the faults that an operator wants, as
 * `{ "delay": { "percent": 50, "ms": 300 }, "error": { "percent": 10, "code": "unavailable" }, "hang": { "percent": 1 } }`;
 * each may be left out, `{}` switches all off. Rejects with `INVALID_FIELD`.
 */
export function faultsOf(body: Json): Faults {
  const { delay, error, hang, ...others } = body;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw invalid(`there is no fault ${JSON.stringify(unknown)}; there are delay, error and hang`);
  return {
    ...(delay !== undefined && { delay: delayOf(objectOf(delay, 'delay')) }),
    ...(error !== undefined && { error: errorOf(objectOf(error, 'error')) }),
    ...(hang !== undefined && { hang: { percent: integerOf(objectOf(hang, 'hang'), 'percent', 0, 100) } }),
  };
}

function delayOf(body: Json): { percent: number; ms: number } {
  return { percent: integerOf(body, 'percent', 0, 100), ms: integerOf(body, 'ms', 1, 60_000) };
}

function errorOf(body: Json): { percent: number; code: Code } {
  const code = codes.find((each) => each === body['code']);
  if (code === undefined) throw invalid(`code must be one of ${codes.join(', ')}`);
  return { percent: integerOf(body, 'percent', 0, 100), code };
}
