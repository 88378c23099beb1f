import { type Call, HeddleError, type Layer, sleep } from '@heddle/kernel';
import { grpcAnswer, isGrpc } from '@heddle/proxy/layers';
import {
  codeOfHttpStatus,
  codeOfNumber,
  Fields,
  type HttpRequest,
  type HttpResponse,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';
import type { RuleFault } from '../model/index.ts';

const text = new TextEncoder().encode('fault filter abort');

/** Delays and refuses as a rule says, each for its share. A refusal is in the words of who asks: gRPC's or HTTP's. */
export function faultRule({ delay, abort }: RuleFault): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    if (delay !== undefined && isChosen(call, delay.percent))
      await sleep(call.runtime.timers, delay.ms, call);
    if (abort === undefined || !isChosen(call, abort.percent)) return next(req, call);
    const status = 'status' in abort ? abort.status : statusOfCode(codeOfNumber(abort.grpcStatus));
    if (!isGrpc(req)) {
      return { status, fields: Fields.of({ 'content-type': 'text/plain' }), body: wholeBody(text) };
    }
    const code = 'status' in abort ? codeOfHttpStatus(status) : codeOfNumber(abort.grpcStatus);
    const message = 'fault filter abort';
    return grpcAnswer(new HeddleError({ code, reason: 'FAULT_INJECTED', message }));
  };
}

function isChosen({ runtime }: Call, percent: number): boolean {
  return percent >= 100 || runtime.random.float() * 100 < percent;
}
