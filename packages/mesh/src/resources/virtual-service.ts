import {
  duration,
  type Labels,
  labels,
  type Percent,
  percent,
  type PortSelector,
  portNumber,
  portSelector,
  type StringMatch,
  stringMatch,
  texts,
} from './terms.ts';
import { flag, list, map, object, oneOf, type Shape, text, whole } from './shape.ts';

/** networking.istio.io VirtualService: which way the requests to some hosts go. */
export interface VirtualServiceSpec {
  readonly hosts?: readonly string[];
  /** Names of gateways (`namespace/name` or `name`) and `mesh`, which is the default. */
  readonly gateways?: readonly string[];
  readonly exportTo?: readonly string[];
  readonly http?: readonly HttpRule[];
  readonly tls?: readonly TlsRule[];
  readonly tcp?: readonly TcpRule[];
}

/** One HTTP rule: the first of which a match holds is taken. */
export interface HttpRule {
  readonly name?: string;
  /** Any of them; none: every request. */
  readonly match?: readonly HttpMatch[];
  readonly route?: readonly HttpDestination[];
  readonly redirect?: HttpRedirect;
  readonly directResponse?: DirectResponse;
  readonly delegate?: { readonly name?: string; readonly namespace?: string };
  readonly rewrite?: HttpRewrite;
  readonly timeout?: string;
  readonly retries?: HttpRetries;
  readonly fault?: HttpFault;
  readonly mirror?: Destination;
  readonly mirrors?: readonly HttpMirror[];
  readonly mirrorPercentage?: Percent;
  readonly corsPolicy?: CorsPolicy;
  readonly headers?: HeaderChanges;
}

/** All that is given must hold. */
export interface HttpMatch {
  readonly name?: string;
  readonly uri?: StringMatch;
  readonly scheme?: StringMatch;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly headers?: Readonly<Record<string, StringMatch>>;
  readonly withoutHeaders?: Readonly<Record<string, StringMatch>>;
  readonly queryParams?: Readonly<Record<string, StringMatch>>;
  readonly ignoreUriCase?: boolean;
  readonly port?: number;
  readonly sourceLabels?: Labels;
  readonly sourceNamespace?: string;
  readonly gateways?: readonly string[];
  readonly statPrefix?: string;
}

/** A service, or a subset of it. */
export interface Destination {
  readonly host: string;
  readonly subset?: string;
  readonly port?: PortSelector;
}

/** A destination with its share. Shares are relative to their sum; one without a share gets all where it is alone. */
export interface HttpDestination {
  readonly destination: Destination;
  readonly weight?: number;
  readonly headers?: HeaderChanges;
}

/** A copy of a share of the requests, whose answer nobody waits for; all of them where no share is written. */
export interface HttpMirror {
  readonly destination: Destination;
  readonly percentage?: Percent;
}

/** An answer with another place instead of a call; 301 where no code is written. */
export interface HttpRedirect {
  readonly uri?: string;
  readonly prefixRewrite?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly port?: number;
  readonly derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT';
  readonly redirectCode?: number;
}

/** An answer of the proxy itself. */
export interface DirectResponse {
  readonly status: number;
  readonly body?: { readonly string?: string; readonly bytes?: string };
}

/** What the destination sees instead of the path and host that were asked for. */
export interface HttpRewrite {
  readonly uri?: string;
  readonly authority?: string;
  readonly uriRegexRewrite?: { readonly match?: string; readonly rewrite?: string };
}

/** How often a failed request is tried again. */
export interface HttpRetries {
  /** 2 where no retries are written; 0 switches them off. */
  readonly attempts?: number;
  readonly perTryTimeout?: string;
  readonly retryOn?: string;
  readonly backoff?: string;
  readonly retryRemoteLocalities?: boolean;
  readonly retryIgnorePreviousHosts?: boolean;
}

/** Delays and errors that are put in on purpose, each for a share of the requests. */
export interface HttpFault {
  readonly delay?: {
    readonly fixedDelay?: string;
    readonly exponentialDelay?: string;
    readonly percentage?: Percent;
  };
  readonly abort?: {
    readonly httpStatus?: number;
    readonly grpcStatus?: string;
    readonly http2Error?: string;
    readonly percentage?: Percent;
  };
}

/** Answers preflights and adds the headers of CORS. */
export interface CorsPolicy {
  readonly allowOrigins?: readonly StringMatch[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: string;
  readonly allowCredentials?: boolean;
  readonly unmatchedPreflights?: 'UNSPECIFIED' | 'FORWARD' | 'IGNORE';
}

/** Changes of headers on the way there and back. */
export interface HeaderChanges {
  readonly request?: HeaderOperations;
  readonly response?: HeaderOperations;
}

/** First what is removed, then set, then added. */
export interface HeaderOperations {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/** Connections that are passed on by their SNI, without ending TLS. */
export interface TlsRule {
  readonly match: readonly TlsMatch[];
  readonly route?: readonly TcpDestination[];
}

/** All that is written must hold. */
export interface TlsMatch {
  readonly sniHosts: readonly string[];
  readonly destinationSubnets?: readonly string[];
  readonly port?: number;
  readonly sourceLabels?: Labels;
  readonly sourceNamespace?: string;
  readonly gateways?: readonly string[];
}

/** Connections that are passed on as they are. */
export interface TcpRule {
  readonly match?: readonly TcpMatch[];
  readonly route?: readonly TcpDestination[];
}

/** All that is written must hold. */
export interface TcpMatch {
  readonly destinationSubnets?: readonly string[];
  readonly port?: number;
  readonly sourceLabels?: Labels;
  readonly sourceNamespace?: string;
  readonly sourceSubnet?: string;
  readonly gateways?: readonly string[];
}

/** A destination with its share of the connections. */
export interface TcpDestination {
  readonly destination: Destination;
  readonly weight?: number;
}

const weight = whole(0, 2_147_483_647);

/** The shape of a `Destination`. */
export const destination: Shape<Destination> = object<Destination>(
  { host: text(), subset: text(), port: portSelector },
  ['host'],
);

const operations = object<HeaderOperations>({ set: map(text()), add: map(text()), remove: texts });
const headerChanges = object<HeaderChanges>({ request: operations, response: operations });

const httpMatch = object<HttpMatch>({
  name: text(),
  uri: stringMatch,
  scheme: stringMatch,
  method: stringMatch,
  authority: stringMatch,
  headers: map(stringMatch),
  withoutHeaders: map(stringMatch),
  queryParams: map(stringMatch),
  ignoreUriCase: flag,
  port: portNumber,
  sourceLabels: labels,
  sourceNamespace: text(),
  gateways: texts,
  statPrefix: text(),
});

const fault = object<HttpFault>({
  delay: object<NonNullable<HttpFault['delay']>>({
    fixedDelay: duration,
    exponentialDelay: duration,
    percentage: percent,
  }),
  abort: object<NonNullable<HttpFault['abort']>>({
    httpStatus: whole(200, 599),
    grpcStatus: text(),
    http2Error: text(),
    percentage: percent,
  }),
});

const corsPolicy = object<CorsPolicy>({
  allowOrigins: list(stringMatch),
  allowMethods: texts,
  allowHeaders: texts,
  exposeHeaders: texts,
  maxAge: duration,
  allowCredentials: flag,
  unmatchedPreflights: oneOf('UNSPECIFIED', 'FORWARD', 'IGNORE'),
});

const redirect = object<HttpRedirect>({
  uri: text(),
  prefixRewrite: text(),
  authority: text(),
  scheme: text(),
  port: portNumber,
  derivePort: oneOf('FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'),
  redirectCode: whole(300, 399),
});

const rewrite = object<HttpRewrite>({
  uri: text(),
  authority: text(),
  uriRegexRewrite: object<NonNullable<HttpRewrite['uriRegexRewrite']>>({ match: text(), rewrite: text() }),
});

const httpRule = object<HttpRule>({
  name: text(),
  match: list(httpMatch),
  route: list(object<HttpDestination>({ destination, weight, headers: headerChanges }, ['destination'])),
  redirect,
  directResponse: object<DirectResponse>(
    {
      status: whole(200, 599),
      body: object<NonNullable<DirectResponse['body']>>({ string: text(), bytes: text() }),
    },
    ['status'],
  ),
  delegate: object<NonNullable<HttpRule['delegate']>>({ name: text(), namespace: text() }),
  rewrite,
  timeout: duration,
  retries: object<HttpRetries>({
    attempts: whole(0, 2_147_483_647),
    perTryTimeout: duration,
    retryOn: text(),
    backoff: duration,
    retryRemoteLocalities: flag,
    retryIgnorePreviousHosts: flag,
  }),
  fault,
  mirror: destination,
  mirrors: list(object<HttpMirror>({ destination, percentage: percent }, ['destination'])),
  mirrorPercentage: percent,
  corsPolicy,
  headers: headerChanges,
});

const tcpRoute = list(object<TcpDestination>({ destination, weight }, ['destination']));

const tlsMatch = object<TlsMatch>(
  {
    sniHosts: texts,
    destinationSubnets: texts,
    port: portNumber,
    sourceLabels: labels,
    sourceNamespace: text(),
    gateways: texts,
  },
  ['sniHosts'],
);

const tcpMatch = object<TcpMatch>({
  destinationSubnets: texts,
  port: portNumber,
  sourceLabels: labels,
  sourceNamespace: text(),
  sourceSubnet: text(),
  gateways: texts,
});

/** The shape of a VirtualService. */
export const virtualServiceSpec: Shape<VirtualServiceSpec> = object<VirtualServiceSpec>({
  hosts: texts,
  gateways: texts,
  exportTo: texts,
  http: list(httpRule),
  tls: list(object<TlsRule>({ match: list(tlsMatch), route: tcpRoute }, ['match'])),
  tcp: list(object<TcpRule>({ match: list(tcpMatch), route: tcpRoute })),
});
