import type { DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { type Ambient, type Call, HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import { deflate, gzip } from '@heddle/wire/compression';
import type { LoadReporter } from '../load/load-reporter.ts';
import type { RpcHandlers } from './handlers.ts';
import { unknownMethodReason } from './protocol/connect-unary-exchange.ts';
import { anyTypes, isRpc, wrongType } from './protocol/open-exchange.ts';
import { type RouteOptions, route } from './route.ts';

/** Where services are registered. */
export interface RpcRouter {
  /** Serves `schema` by these handlers. Throws `already_exists` if it is served already. */
  service<Desc extends DescService>(schema: Desc, handlers: RpcHandlers<Desc>): RpcRouter;
  /** Full names of the services served, in the order they came. */
  readonly services: readonly string[];
  /** Their contracts, in the same order. */
  readonly schemas: readonly DescService[];
}

/** What `rpcService` may be told. */
export interface RpcServiceOptions {
  /** Largest message that is taken, before and after decompression. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Largest message that is sent, before compression. Default: whatever the client takes. */
  readonly maxSentMessageBytes?: number;
  /** Makes the call that is being served the current one for its handler (see `Ambient`). Default: it is only passed. */
  readonly ambient?: Ambient;
  /** Says with every answer of gRPC how busy this server is (`endpoint-load-metrics-bin`). Default: it does not. */
  readonly load?: LoadReporter;
}

interface Served {
  readonly service: HttpService;
  /** Whether it may be called by GET: unary, and declared `NO_SIDE_EFFECTS`. */
  readonly byGet: boolean;
}

/**
 * RPC services as one HTTP service: `rpcService((router) => router.service(UserService, { getUser(req, call) {…} }))`.
 * It speaks gRPC, gRPC-Web and Connect, by the content type of each request; answers are compressed where the request
 * is, or a handler asks for it (`Metadata.compressed`).
 * The path must be a method's, byte for byte: no decoding, no query, no case folding, so that a rule on paths and this
 * table cannot see different methods; only Connect's GET has its message in a query. It rejects with `unimplemented`
 * for any other path; other HTTP methods get 405, other content types 415. The layers of `server-stack.ts` belong
 * around it.
 */
export function rpcService(
  routes: (router: RpcRouter) => void,
  options: RpcServiceOptions = {},
): HttpService {
  const table = new Map<string, Served>();
  const unhandled = new Set<string>();
  const services: string[] = [];
  const schemas: DescService[] = [];
  const limits: RouteOptions = {
    maxMessageBytes: options.maxMessageBytes ?? 4 * 1024 * 1024,
    maxSentMessageBytes: options.maxSentMessageBytes ?? Number.POSITIVE_INFINITY,
    compressions: [gzip, deflate],
    ambient: options.ambient,
    load: options.load,
  };
  const router: RpcRouter = {
    services,
    schemas,
    service(schema, handlers) {
      if (services.includes(schema.typeName)) throw servedTwice(schema.typeName);
      services.push(schema.typeName);
      schemas.push(schema);
      for (const method of schema.methods) {
        const handler = handlers[method.localName];
        if (handler === undefined) {
          unhandled.add(`/${schema.typeName}/${method.name}`);
          continue;
        }
        const service = route(method, handler.bind(handlers), limits);
        const byGet = method.methodKind === 'unary' && method.idempotency === Level.NO_SIDE_EFFECTS;
        table.set(`/${schema.typeName}/${method.name}`, { service, byGet });
      }
      return router;
    },
  };
  routes(router);
  return async (req, call) => {
    if (req.method === 'GET') return get(req, call);
    if (req.method !== 'POST') return wrongMethod();
    const served = table.get(req.path);
    if (served !== undefined) return served.service(req, call);
    if (!isRpc(req)) return wrongType(anyTypes);
    throw unhandled.has(req.path) ? noHandler(req.path) : unknownMethod(req.path);
  };

  async function get(req: HttpRequest, call: Call): Promise<HttpResponse> {
    const served = table.get(req.path.split('?', 1)[0] ?? '');
    return served?.byGet === true ? served.service(req, call) : wrongMethod();
  }
}

function wrongMethod(): HttpResponse {
  return { status: 405, fields: Fields.of({ allow: 'POST' }), body: emptyBody };
}

function noHandler(path: string): HeddleError {
  const message = `${path} is declared, and has no handler here`;
  return new HeddleError({ code: 'unimplemented', reason: 'NO_HANDLER', message, sent: false });
}

function unknownMethod(path: string): HeddleError {
  const message = `no method is served at ${JSON.stringify(path.slice(0, 200))}`;
  return new HeddleError({ code: 'unimplemented', reason: unknownMethodReason, message, sent: false });
}

function servedTwice(name: string): HeddleError {
  const message = `${name} is registered twice with one router; each service has one set of handlers`;
  return new HeddleError({ code: 'already_exists', reason: 'SERVICE_SERVED_TWICE', message });
}
