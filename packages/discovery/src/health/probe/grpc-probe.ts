import { type Address, type Call, codes, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type Endpoint,
  endpoint,
  type EndpointTls,
  Fields,
  type HttpRequest,
  type HttpResponse,
  wholeBody,
} from '@heddle/wire';
import type { CheckResult } from '../health-state.ts';
import { authorityOf } from './authority.ts';
import { AnswerReader, encodeRequest, type ServingStatus } from './grpc-message.ts';
import { critical, passing } from './probe.ts';

/** Asks one server by `grpc.health.v1`, on one connection. */
export interface GrpcProbe {
  /** One question, one answer. Rejects as `Probe` does. */
  check(call: Call): Promise<CheckResult>;
  /**
   * Hears of each change, beginning with the present, until the call is cancelled or the server ends it. Rejects with
   * `unimplemented` if the server does not offer it, and otherwise as the connection fails.
   */
  watch(call: Call, onResult: (result: CheckResult) => void): Promise<void>;
  close(): void;
}

/** `service` is a full name; empty: the server as a whole. */
export function grpcProbe(runtime: Runtime, address: Address, service: string, tls?: EndpointTls): GrpcProbe {
  const secured = tls !== undefined && { tls };
  const target = endpoint({ runtime, address, protocol: 'http2', limits: { connections: 1 }, ...secured });
  const ask = (method: string, call: Call): Promise<HttpResponse> =>
    send(target, address, `/grpc.health.v1.Health/${method}`, service, call);
  return {
    check: async (call) => {
      let last: ServingStatus | undefined;
      await readAnswers(await ask('Check', call), (status) => {
        last = status;
      });
      if (last === undefined) throw ended();
      return resultOf(last);
    },
    watch: async (call, onResult) => {
      await readAnswers(await ask('Watch', call), (status) => onResult(resultOf(status)));
      throw ended();
    },
    close: () => target.close(),
  };
}

function send(
  target: Endpoint,
  address: Address,
  path: string,
  service: string,
  call: Call,
): Promise<HttpResponse> {
  const fields = Fields.of({ 'content-type': 'application/grpc', te: 'trailers' });
  const deadlineMs = call.remainingMs();
  if (Number.isFinite(deadlineMs)) {
    fields.append('grpc-timeout', `${Math.min(99_999_999, Math.max(1, Math.ceil(deadlineMs)))}m`);
  }
  const request: HttpRequest = {
    method: 'POST',
    scheme: 'http',
    authority: authorityOf(address),
    path,
    fields,
    body: wholeBody(encodeRequest(service)),
  };
  return target.request(request, call);
}

/** Reads to the end. Rejects with the status that the server ended it with, unless that is OK. */
async function readAnswers(response: HttpResponse, onAnswer: (status: ServingStatus) => void): Promise<void> {
  const { status, fields, body } = response;
  if (status !== 200) throw unavailable('NOT_GRPC', `expected an answer of gRPC, found status ${status}`);
  const reader = new AnswerReader();
  for await (const chunk of body) for (const answer of reader.push(chunk)) onAnswer(answer);
  // Without a message the trailers come as the head (Trailers-Only).
  const number = body.trailers?.get('grpc-status') ?? fields.get('grpc-status');
  if (number === undefined) throw unavailable('NOT_GRPC', 'the answer ended without a grpc-status');
  if (number !== '0')
    throw failed(Number(number), body.trailers?.get('grpc-message') ?? fields.get('grpc-message'));
  reader.end();
}

function resultOf(status: ServingStatus): CheckResult {
  return status === 'serving' ? passing('serving') : critical(`the server says ${status.toUpperCase()}`);
}

function failed(number: number, message = ''): HeddleError {
  const code = codes[number - 1] ?? 'unknown';
  return new HeddleError({
    code,
    reason: 'HEALTH_CHECK_REFUSED',
    message: `grpc.health.v1 answered ${code}: ${decodeMessage(message)}`,
  });
}

/** A grpc-message is percent-encoded; one that is not, is shown as it came. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ended(): HeddleError {
  return unavailable('HEALTH_WATCH_ENDED', 'the server ended the answer before there was one, or the watch');
}

function unavailable(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'unavailable', reason, message });
}
