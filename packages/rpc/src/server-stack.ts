import { classifyErrors, HeddleError, type Layer, type Result } from '@heddle/kernel';
import { serverSpans, traced, type TracedOptions } from '@heddle/telemetry';
import {
  adaptive,
  type AdaptiveLimit,
  concurrency,
  rateLimit,
  type RateLimitOptions,
  shed,
  type ShedOptions,
  timeout,
} from '@heddle/traffic';
import { type DecisionLog, explained, type NamedLayer, stackOf } from '@heddle/upstream';
import {
  classifyHttp,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  propagateIn,
  streamBody,
  wholeBytes,
} from '@heddle/wire';
import { noteVerdict } from './client/stack-parts.ts';
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
  /** Counts and times calls. Default: nothing. */
  readonly observe?: HttpLayer;
  /** How spans are named and who takes them; `false`: calls get none. Default: the runtime's `spans` does. */
  readonly trace?: false | Omit<TracedOptions<HttpRequest, HttpResponse>, 'kind'>;
  /** Where records of calls that failed here go, and of a sample of the others. Default: none are made. */
  readonly decisions?: DecisionLog;
  /** Refuses calls, least important first, when this process is late with its work. Default: it tries them all. */
  readonly shed?: ShedOptions;
  /** A limit that finds its size by the latencies, below `maxCalls`. Default: none. */
  readonly adaptive?: AdaptiveLimit;
  /** Default: no limit but that of calls at a time. */
  readonly rateLimit?: RateLimitOptions<HttpRequest>;
  /** The application's own layers (authorization, faults for a demo), around the handlers. First outermost. */
  readonly layers?: readonly HttpLayer[];
}

/** What every server does around its handlers; the client's counterpart is `client-stack.ts`. */
export function serverStack(service: HttpService, options: ServerStackOptions = {}): HttpService {
  return stackOf(serverLayers(options))(service);
}

/** The layers from the wire inwards. Each place has its reason, which `heddle explain layers` shows. */
export function serverLayers(options: ServerStackOptions): readonly NamedLayer<HttpRequest, HttpResponse>[] {
  return [...forEveryCall(options), ...forThoseAdmitted(options)];
}

function forEveryCall(options: ServerStackOptions): NamedLayer<HttpRequest, HttpResponse>[] {
  const { timeoutMs, trace = {}, decisions } = options;
  return [
    {
      name: 'answers to errors',
      why: 'Outermost: whatever a layer below refuses, an RPC client gets it as a status it can read.',
      layer: answerErrors,
    },
    {
      name: 'context',
      why: 'Above all that reads the call: the deadline, the trace and the tenant come from the request.',
      layer: propagateIn,
    },
    {
      name: 'trace',
      why: 'Right below the context, whose trace it goes on with; above all that records a trace id.',
      layer: trace === false ? undefined : traced({ ...serverSpans, ...trace, kind: 'server' }),
    },
    {
      name: 'metrics',
      why: 'Above all that can refuse, so that refusals are counted.',
      layer: options.observe,
    },
    {
      name: 'explain',
      why: 'Above all that decides: the record of a refusal names what refused.',
      layer: decisions === undefined ? undefined : explain(decisions),
    },
    {
      name: 'deadline',
      why: 'Above the limits: the time spent waiting for a place counts, and who has waited too long is not served.',
      layer: timeout(timeoutMs === undefined ? {} : { ms: timeoutMs }),
    },
  ];
}

function forThoseAdmitted(options: ServerStackOptions): NamedLayer<HttpRequest, HttpResponse>[] {
  const { maxCalls = 1000, maxWaiting = maxCalls, layers = [] } = options;
  const { shed: rules, rateLimit: rate, adaptive: limit } = options;
  return [
    {
      name: 'shedding',
      why: 'Right below the deadline, by which it judges what would come too late, and above all work: a refusal costs next to nothing.',
      layer: rules === undefined ? undefined : shed(rules),
    },
    {
      name: 'rate limit',
      why: 'Above the places: who is over his limit takes none.',
      layer: rate === undefined ? undefined : rateLimit(noteVerdict(rate)),
    },
    {
      name: 'places',
      why: 'Below what refuses without waiting; what is refused here has reached no handler.',
      layer: concurrency({ max: maxCalls, queue: maxWaiting, what: 'this server' }),
    },
    {
      name: 'adaptive limit',
      why: 'Below the fixed one, which is its ceiling: it learns from what was really served.',
      layer: limit === undefined ? undefined : adaptive(limit, { classify: classifyHttp }),
    },
    ...layers.map((layer, at) => ({
      name: `the application's own${layers.length > 1 ? ` (${at + 1})` : ''}`,
      why: 'They see a call that has context, deadline and a place.',
      layer,
    })),
    {
      name: 'end with the body',
      why: 'Innermost: the layers above count a call until its answer has gone, also when that streams.',
      layer: endWithBody,
    },
  ];
}

function explain(log: DecisionLog): HttpLayer {
  return explained({
    log,
    side: 'server',
    target: '',
    operation: operationOf,
    classify: (req: HttpRequest, result: Result<HttpResponse>) =>
      result.ok ? classifyHttp(req, result) : classifyErrors(req, result),
    answer: ({ status }) => `status ${status}`,
  });
}

/** The method of an RPC, as its path has it; the path of anything else, which may have many values. */
function operationOf({ method, path, fields }: HttpRequest): string {
  const plain = path.split('?', 1)[0] ?? '';
  const isGrpc = fields.get('content-type')?.startsWith('application/grpc') === true;
  return isGrpc ? plain.slice(1) : `${method} ${plain}`;
}

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
