import { HeddleError, type Layer, stack } from '@heddle/kernel';
import { concurrency, timeout } from '@heddle/traffic';
import {
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  streamBody,
  wholeBytes,
  propagateIn,
} from '@heddle/wire';
import { refusalOf } from './server/protocol/open-exchange.ts';
import { endUnlessBegun } from './server/response-stream.ts';

type HttpLayer = Layer<HttpRequest, HttpResponse>;

/** What a server's stack may be told. */
export interface ServerStackOptions {
  /** Calls served at a time. Default 1000. */
  readonly maxCalls?: number;
  /** Calls that may wait for a place, up to a second; one more is refused. Default: as many as are served. */
  readonly maxWaiting?: number;
  /** The longest that any call may take, whatever its client says, in milliseconds. Default: no limit of our own. */
  readonly timeoutMs?: number;
  /** Counts, times and traces calls. Default: nothing. */
  readonly observe?: HttpLayer;
  /** The application's own layers (authorization, faults for a demo), around the handlers. First outermost. */
  readonly layers?: readonly HttpLayer[];
}

/**
 * What every server does around its handlers, from the wire inwards. Each line's place has its reason; the client's
 * counterpart is `client-stack.ts`.
 */
export function serverStack(service: HttpService, options: ServerStackOptions = {}): HttpService {
  const { maxCalls = 1000, maxWaiting = maxCalls, timeoutMs, observe = passOn, layers = [] } = options;
  return stack<HttpRequest, HttpResponse>(
    // Outermost: whatever a layer below refuses, an RPC client gets it as a status it can read.
    answerErrors,
    // Above all that reads the call: the deadline, the trace and the tenant come from the request.
    propagateIn,
    // Below the context, whose trace and tenant it records; above all that can refuse, so that refusals are counted.
    observe,
    // Above the limit: the time spent waiting for a place counts, and who has waited too long is not served.
    timeout(timeoutMs === undefined ? {} : { ms: timeoutMs }),
    // Below the deadline and above all work: what is refused here has cost next to nothing and reached no handler.
    concurrency({ max: maxCalls, queue: maxWaiting, what: 'this server' }),
    // The application's own see a call that has context, deadline and a place.
    ...layers,
    // Innermost: the layers above count a call until its answer has gone, also when that streams.
    endWithBody,
  )(service);
}

const passOn: HttpLayer = (next) => next;

/** An error below, as the request's RPC protocol has it. In plain HTTP it stays an error: the engine knows its status. */
const answerErrors: HttpLayer = (next) => async (req, call) => {
  try {
    return await next(req, call);
  } catch (thrown) {
    const refused = refusalOf(req, HeddleError.from(thrown));
    if (refused === undefined) throw thrown;
    return refused;
  }
};

/** Puts the call's end off until a streaming body has been read, where the service did not see to that itself. */
const endWithBody: HttpLayer = (next) => async (req, call) => {
  const response = await next(req, call);
  const { body } = response;
  if (call.endDeferred || wholeBytes(body) !== undefined) return response;
  const begin = endUnlessBegun(call);
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    begin();
    let failure: HeddleError | undefined = readerLeft();
    try {
      yield* body;
      failure = undefined;
    } catch (thrown) {
      failure = HeddleError.from(thrown);
      throw failure;
    } finally {
      call.end(failure);
    }
  };
  const size = body.size === undefined ? {} : { size: body.size };
  return { ...response, body: streamBody(chunks(), { ...size, trailers: () => body.trailers }) };
};

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the client has left the response',
  });
}
