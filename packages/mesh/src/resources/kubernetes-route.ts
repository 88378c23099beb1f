import { duration, portNumber, texts } from './terms.ts';
import { flag, list, object, oneOf, type Shape, text, whole } from './shape.ts';

/** The Gateway, Service or listener that a route is attached to; a Service means traffic inside of the mesh. */
export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
  readonly port?: number;
}

/** A Service of the core group where neither group nor kind is written. */
export interface BackendObject {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** A backend with its share, 1 where none is written. */
export interface BackendRef extends BackendObject {
  readonly weight?: number;
  readonly filters?: readonly RouteFilter[];
}

/** A step between match and backend; `type` says which of the other fields is there. */
export interface RouteFilter {
  readonly type:
    | 'RequestHeaderModifier'
    | 'ResponseHeaderModifier'
    | 'RequestMirror'
    | 'RequestRedirect'
    | 'URLRewrite'
    | 'ExtensionRef'
    | 'CORS';
  readonly requestHeaderModifier?: HeaderModifier;
  readonly responseHeaderModifier?: HeaderModifier;
  readonly requestMirror?: RequestMirror;
  readonly requestRedirect?: RequestRedirect;
  readonly urlRewrite?: UrlRewrite;
  readonly extensionRef?: { readonly group: string; readonly kind: string; readonly name: string };
  readonly cors?: RouteCors;
}

/** A header with its value. */
export interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** Changes of headers. */
export interface HeaderModifier {
  readonly set?: readonly NameValue[];
  readonly add?: readonly NameValue[];
  readonly remove?: readonly string[];
}

/** Sends a copy; all requests where no share is written. */
export interface RequestMirror {
  readonly backendRef: BackendObject;
  readonly percent?: number;
  readonly fraction?: { readonly numerator: number; readonly denominator?: number };
}

/** What becomes of the path. */
export interface PathModifier {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}

/** An answer with another place instead of a call. */
export interface RequestRedirect {
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly path?: PathModifier;
  readonly port?: number;
  /** 302 where none is written. */
  readonly statusCode?: number;
}

/** What the backend sees instead of the host and path that were asked for. */
export interface UrlRewrite {
  readonly hostname?: string;
  readonly path?: PathModifier;
}

/** Answers preflights and adds the headers of CORS; `maxAge` in seconds. */
export interface RouteCors {
  readonly allowOrigins?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: number;
}

/** Exact where no type is written. */
export interface ValueMatch extends NameValue {
  readonly type?: 'Exact' | 'RegularExpression';
}

interface RouteSpec {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
}

/** gateway.networking.k8s.io HTTPRoute. */
export interface HttpRouteSpec extends RouteSpec {
  readonly rules?: readonly HttpRouteRule[];
}

/** One rule: any of the matches, then the filters, then one of the backends by weight. */
export interface HttpRouteRule {
  readonly name?: string;
  readonly matches?: readonly HttpRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly BackendRef[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
}

/** All that is written must hold. */
export interface HttpRouteMatch {
  /** PathPrefix `/` where nothing is written. */
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string };
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
  readonly method?: string;
}

/** gateway.networking.k8s.io GRPCRoute. */
export interface GrpcRouteSpec extends RouteSpec {
  readonly rules?: readonly GrpcRouteRule[];
}

/** One rule of a GRPCRoute. */
export interface GrpcRouteRule {
  readonly name?: string;
  readonly matches?: readonly GrpcRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly BackendRef[];
}

/** All that is written must hold. */
export interface GrpcRouteMatch {
  readonly method?: {
    readonly type?: 'Exact' | 'RegularExpression';
    readonly service?: string;
    readonly method?: string;
  };
  readonly headers?: readonly ValueMatch[];
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

const parentRef = object<ParentRef>(
  { group: text(), kind: text(), name: text(), namespace: text(), sectionName: text(), port: portNumber },
  ['name'],
);
const backendFields = { group: text(), kind: text(), name: text(), namespace: text(), port: portNumber };
const nameValues = list(object<NameValue>({ name: text(), value: text() }, ['name', 'value']));
const headerModifier = object<HeaderModifier>({ set: nameValues, add: nameValues, remove: texts });
const path = object<PathModifier>(
  {
    type: oneOf('ReplaceFullPath', 'ReplacePrefixMatch'),
    replaceFullPath: text(),
    replacePrefixMatch: text(),
  },
  ['type'],
);

const filterFields = {
  requestHeaderModifier: headerModifier,
  responseHeaderModifier: headerModifier,
  requestMirror: object<RequestMirror>(
    {
      backendRef: object<BackendObject>(backendFields, ['name']),
      percent: whole(0, 100),
      fraction: object<NonNullable<RequestMirror['fraction']>>(
        { numerator: whole(), denominator: whole(1) },
        ['numerator'],
      ),
    },
    ['backendRef'],
  ),
  extensionRef: object<NonNullable<RouteFilter['extensionRef']>>(
    { group: text(), kind: text(), name: text() },
    ['group', 'kind', 'name'],
  ),
};

const httpFilter = object<RouteFilter>(
  {
    type: oneOf(
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'RequestRedirect',
      'URLRewrite',
      'ExtensionRef',
      'CORS',
    ),
    ...filterFields,
    requestRedirect: object<RequestRedirect>({
      scheme: oneOf('http', 'https'),
      hostname: text(),
      path,
      port: portNumber,
      statusCode: whole(301, 308),
    }),
    urlRewrite: object<UrlRewrite>({ hostname: text(), path }),
    cors: object<RouteCors>({
      allowOrigins: texts,
      allowCredentials: flag,
      allowMethods: list(oneOf('*', ...methods)),
      allowHeaders: texts,
      exposeHeaders: texts,
      maxAge: whole(1),
    }),
  },
  ['type'],
);

type GrpcFilter = Omit<RouteFilter, 'requestRedirect' | 'urlRewrite' | 'cors'>;
const grpcFilter: Shape<GrpcFilter> = object<GrpcFilter>(
  {
    type: oneOf('RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef'),
    ...filterFields,
  },
  ['type'],
);

const backendRefs = (filter: Shape<RouteFilter>): Shape<readonly BackendRef[]> =>
  list(
    object<BackendRef>({ ...backendFields, weight: whole(0, 1_000_000), filters: list(filter) }, ['name']),
  );

const values = list(
  object<ValueMatch>({ name: text(), value: text(), type: oneOf('Exact', 'RegularExpression') }, [
    'name',
    'value',
  ]),
);

const httpRule = object<HttpRouteRule>({
  name: text(),
  matches: list(
    object<HttpRouteMatch>({
      path: object<NonNullable<HttpRouteMatch['path']>>({
        type: oneOf('Exact', 'PathPrefix', 'RegularExpression'),
        value: text(),
      }),
      headers: values,
      queryParams: values,
      method: oneOf(...methods),
    }),
  ),
  filters: list(httpFilter),
  backendRefs: backendRefs(httpFilter),
  timeouts: object<NonNullable<HttpRouteRule['timeouts']>>({ request: duration, backendRequest: duration }),
});

const grpcRule = object<GrpcRouteRule>({
  name: text(),
  matches: list(
    object<GrpcRouteMatch>({
      method: object<NonNullable<GrpcRouteMatch['method']>>({
        type: oneOf('Exact', 'RegularExpression'),
        service: text(),
        method: text(),
      }),
      headers: values,
    }),
  ),
  filters: list(grpcFilter),
  backendRefs: backendRefs(grpcFilter),
});

/** The shape of an HTTPRoute. */
export const httpRouteSpec: Shape<HttpRouteSpec> = object<HttpRouteSpec>({
  parentRefs: list(parentRef),
  hostnames: texts,
  rules: list(httpRule),
});

/** The shape of a GRPCRoute. */
export const grpcRouteSpec: Shape<GrpcRouteSpec> = object<GrpcRouteSpec>({
  parentRefs: list(parentRef),
  hostnames: texts,
  rules: list(grpcRule),
});
