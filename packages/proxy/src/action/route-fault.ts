import { type Layer, sleep } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { jsonAnswer } from '../answer/json-answer.ts';
import type { RouteFault } from '../model/route.ts';

/** Delays and aborts the share of the requests that the route says, first the delay. */
export function routeFault({ delay, abort }: RouteFault): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    const { random, timers } = call.runtime;
    if (delay !== undefined && random.float() * 100 < delay.percent) await sleep(timers, delay.ms, call);
    if (abort === undefined || random.float() * 100 >= abort.percent) return next(req, call);
    const message = 'a fault that the route makes on purpose';
    return jsonAnswer(abort.status, { code: 'unavailable', reason: 'INJECTED_FAULT', message });
  };
}
