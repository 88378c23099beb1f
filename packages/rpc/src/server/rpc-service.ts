import type { DescService } from '@bufbuild/protobuf';
import { HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpResponse, type HttpService } from '@heddle/wire';
import { isGrpc } from './answer.ts';
import type { RpcHandlers } from './handlers.ts';
import { route } from './route.ts';

/** Where services are registered. */
export interface RpcRouter {
  /** Serves `schema` by these handlers. Throws `already_exists` if it is served already. */
  service<Desc extends DescService>(schema: Desc, handlers: RpcHandlers<Desc>): RpcRouter;
  /** Full names of the services served, in the order they came. */
  readonly services: readonly string[];
}

/** What `rpcService` may be told. */
export interface RpcServiceOptions {
  /** Largest message that is taken. Default 4 MiB. */
  readonly maxMessageBytes?: number;
}

/**
 * gRPC services as one HTTP service: `rpcService((router) => router.service(UserService, { getUser(req, call) {…} }))`.
 * The path must be a method's, byte for byte: no decoding, no query, no case folding, so that a rule on paths and this
 * table cannot see different methods. It rejects with `unimplemented` for any other path; what is no gRPC gets 405
 * or 415. The layers of `server-stack.ts` belong around it.
 */
export function rpcService(
  routes: (router: RpcRouter) => void,
  options: RpcServiceOptions = {},
): HttpService {
  const table = new Map<string, HttpService>();
  const services: string[] = [];
  const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
  const router: RpcRouter = {
    services,
    service(schema, handlers) {
      if (services.includes(schema.typeName)) throw servedTwice(schema.typeName);
      services.push(schema.typeName);
      for (const method of schema.methods) {
        const handler = handlers[method.localName];
        if (handler === undefined) continue;
        table.set(
          `/${schema.typeName}/${method.name}`,
          route(method, handler.bind(handlers), maxMessageBytes),
        );
      }
      return router;
    },
  };
  routes(router);
  return async (req, call) => {
    if (req.method !== 'POST') return plain(405, Fields.of({ allow: 'POST' }));
    if (!isGrpc(req))
      return plain(415, Fields.of({ 'accept-post': 'application/grpc, application/grpc+proto' }));
    const service = table.get(req.path);
    if (service === undefined) throw unknownMethod(req.path);
    return service(req, call);
  };
}

function plain(status: number, fields: Fields): HttpResponse {
  return { status, fields, body: emptyBody };
}

function unknownMethod(path: string): HeddleError {
  const message = `no method is served at ${JSON.stringify(path.slice(0, 200))}`;
  return new HeddleError({ code: 'unimplemented', reason: 'UNKNOWN_METHOD', message, sent: false });
}

function servedTwice(name: string): HeddleError {
  const message = `${name} is registered twice with one router; each service has one set of handlers`;
  return new HeddleError({ code: 'already_exists', reason: 'SERVICE_SERVED_TWICE', message });
}
