import { type Address, type Ambient, ambientOf, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { type HttpServer, type HttpService, type ServerLimits, type ServeTls, serve } from '@heddle/wire';
import { HealthBoard } from '../health/health-board.ts';
import { LoopDelay, type ShedOptions } from '@heddle/traffic';
import { type LayerLine, linesOf, stackOf } from '@heddle/upstream';
import { serveLoad } from '../load/serve-load.ts';
import { serveReflection } from '../reflection/serve-reflection.ts';
import { serverLayers, type ServerStackOptions } from '../server-stack.ts';
import { type RpcRouter, type RpcServiceOptions, rpcService } from './rpc-service.ts';

/** What every server is told. */
export interface HttpServerOptions extends Omit<ServerStackOptions, 'shed'> {
  readonly runtime: Runtime;
  /** Default: a free port on 127.0.0.1. */
  readonly address?: Address;
  /**
   * Makes the call that is being served the current one for its handler (see `Ambient`), so that statements and whatever else takes
   * no call belong to it. Default: the runtime's where spans are taken, else none: it is only passed.
   */
  readonly ambient?: Ambient;
  /** Sizes and counts of the wire. */
  readonly limits?: Partial<ServerLimits>;
  /**
   * Refuses calls, least important first, when this process is late with its work; `{}` has the usual rules.
   * Default: it tries them all.
   */
  readonly shed?: Omit<ShedOptions, 'monitor'>;
  /** Speak TLS, and nothing else. Default: plaintext. */
  readonly tls?: ServeTls;
}

/** A part of an `App` that serves one port. */
export interface ServerPart extends Part {
  /** With the port that was chosen. Throws `failed_precondition` before `start`. */
  readonly address: Address;
  /** Open connections. */
  readonly connections: number;
  /** The layers around each call, the outermost first. */
  readonly layers: readonly LayerLine[];
  drain(): Promise<void>;
}

/** Serves any HTTP service with the server's stack around it. */
export function httpServer(service: HttpService, options: HttpServerOptions): ServerPart {
  const ambient = currentOf(options);
  if (ambient === undefined) return stackedServer(service, options);
  return stackedServer((req, call) => ambient.run(call, () => service(req, call)), options);
}

function currentOf({ ambient, runtime }: HttpServerOptions): Ambient | undefined {
  return ambient ?? (runtime.spans === undefined ? undefined : ambientOf(runtime));
}

function stackedServer(service: HttpService, options: Omit<HttpServerOptions, 'ambient'>): ServerPart {
  const { runtime, limits, tls, shed, address = { host: '127.0.0.1', port: 0 }, ...rest } = options;
  const monitor = shed === undefined ? undefined : new LoopDelay(runtime);
  const stack = serverLayers({ ...rest, ...(monitor !== undefined && { shed: { ...shed, monitor } }) });
  const stacked = stackOf(stack)(service);
  let running: HttpServer | undefined;
  return {
    name: 'server',
    layers: linesOf(stack),
    get address() {
      if (running !== undefined) return running.address;
      const message = 'the server has no address before it is started';
      throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_STARTED', message });
    },
    get connections() {
      return running?.connections ?? 0;
    },
    async start() {
      monitor?.start();
      running = await serve(stacked, {
        runtime,
        address,
        ...(limits === undefined ? {} : { limits }),
        ...(tls === undefined ? {} : { tls }),
      });
    },
    async drain() {
      await running?.drain();
    },
    async stop() {
      await running?.stop();
      monitor?.stop();
    },
  };
}

/** What `rpcServer` is told. */
export interface RpcServerOptions extends HttpServerOptions, RpcServiceOptions {
  readonly routes: (router: RpcRouter) => void;
  /** Serves `grpc.reflection.v1` and `v1alpha`: the whole contract, to whoever can reach the server. Default false. */
  readonly reflection?: boolean;
}

/** A server part with its health. */
export interface RpcServer extends ServerPart {
  /** Served as `grpc.health.v1`. Not serving until somebody says otherwise, which `registration` does. */
  readonly health: HealthBoard;
}

/** Serves gRPC services, and their health. */
export function rpcServer(options: RpcServerOptions): RpcServer {
  const health = new HealthBoard();
  const routes = (router: RpcRouter): void => {
    options.routes(router);
    health.serveOn(router);
    if (options.load !== undefined) serveLoad(router, options.load);
    if (options.reflection === true) serveReflection(router);
  };
  const ambient = currentOf(options);
  // The handlers see to it themselves: of those that stream each message is worked on at a time of its own.
  const service = rpcService(routes, { ...options, ...(ambient !== undefined && { ambient }) });
  const part = stackedServer(service, options);
  return {
    name: part.name,
    layers: part.layers,
    health,
    get address() {
      return part.address;
    },
    get connections() {
      return part.connections;
    },
    start: () => part.start(),
    drain() {
      health.close();
      return part.drain();
    },
    stop: () => part.stop(),
  };
}
