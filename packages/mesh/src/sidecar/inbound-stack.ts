import { type Call, perform, type Runtime } from '@heddle/kernel';
import { errorsToCallers, isGrpc } from '@heddle/proxy/layers';
import type { KeySource } from '@heddle/security';
import { concurrency } from '@heddle/traffic';
import { type NamedLayer, stackOf } from '@heddle/upstream';
import { type Endpoint, endpoint, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import { type AskProvider, guard, type Verdict } from '../authorization/index.ts';
import type { InboundPort, JwtRule, Workload } from '../model/index.ts';

type HttpLayers = readonly NamedLayer<HttpRequest, HttpResponse>[];

/** What the inbound side of a workload is made with. */
export interface InboundSurroundings {
  readonly runtime: Runtime;
  /** Counts what is answered, and writes a line about it. */
  readonly observed: readonly NamedLayer<HttpRequest, HttpResponse>[];
  readonly keysOf: (rule: JwtRule) => KeySource;
  readonly ask: AskProvider | undefined;
  readonly onVerdict: (verdict: Verdict, request: HttpRequest, call: Call) => void;
  /** Requests at a time, for each port. */
  readonly maxRequests: number;
}

/** What stands before a port of the application. */
export interface ReadyPort {
  readonly service: HttpService;
  readonly application: Endpoint;
}

/** Makes it. Throws for tokens whose keys cannot be read. */
export function inboundPort(
  workload: Workload,
  at: InboundPort,
  surroundings: InboundSurroundings,
): ReadyPort {
  const { runtime } = surroundings;
  const isHttp2 = at.protocol === 'grpc' || at.protocol === 'http2';
  const address = { host: at.target.address, port: at.target.port };
  const application = endpoint({ runtime, address, protocol: isHttp2 ? 'http2' : 'http1' });
  const layers = stackOf(inboundLayers(workload, at, surroundings));
  return { service: layers(toApplication(application)), application };
}

/** The layers before an application, from the outside in. */
export function inboundLayers(
  { policies, jwt }: Workload,
  { port, address, mtls }: InboundPort,
  { observed, keysOf, ask, onVerdict, maxRequests }: InboundSurroundings,
): HttpLayers {
  const isOpen = policies.length === 0 && jwt.length === 0 && mtls !== 'strict';
  return [
    ...observed,
    {
      name: 'answers to errors',
      why: 'Above all that can refuse: each caller is refused in its own words.',
      layer: errorsToCallers,
    },
    {
      name: 'places',
      why: 'Before any work is done for a request; a refusal here is cheap.',
      layer: concurrency<HttpRequest, HttpResponse>({ max: maxRequests, what: `port ${port}` }),
    },
    {
      name: 'guard',
      why: 'Right before the application: mTLS, tokens and policies, in this order.',
      layer: isOpen
        ? undefined
        : guard({
            policies,
            jwt,
            mtls,
            port,
            ip: address,
            keysOf,
            onVerdict,
            ...(ask !== undefined && { ask }),
          }),
    },
  ];
}

/** The application gets the request as it came. gRPC's servers want to hear that trailers are understood. */
function toApplication(application: Endpoint): HttpService {
  return (req, call) => {
    if (isGrpc(req)) req.fields.append('te', 'trailers');
    return perform(application.request, req, call.child());
  };
}
