import { Call, type Connection, HeddleError, type Runtime } from '@heddle/kernel';
import { excluded } from '@heddle/traffic';
import { mostSpecific, type PassedWay, serverAt, type ServerConfig } from '../model/server.ts';
import type { HeldTargets, Target } from '../upstream/targets.ts';

/** The other end of a connection whose TLS is passed on. */
export interface PassedConnection {
  readonly connection: Connection;
  /** To be called once, when nothing is open any more: until then the instance has it in its load. */
  ended(): void;
}

/** Connects one that has come to a port and asks for a name. Rejects with `unavailable`. */
export type Pass = (
  port: number,
  serverName: string | undefined,
  runtime: Runtime,
) => Promise<PassedConnection>;

const attempts = 3;

/** Where connections go whose TLS is ended by somebody behind. Throws as `HeldTargets.get`. */
export function passing(servers: readonly ServerConfig[], targets: HeldTargets): Pass {
  const shares = new Map<PassedWay, readonly { readonly target: Target; readonly weight: number }[]>();
  for (const { tls } of servers)
    for (const way of tls.kind === 'pass' ? tls.ways : [])
      shares.set(
        way,
        way.shares.map(({ upstream, weight }) => ({ target: targets.get(upstream, 'http1'), weight })),
      );
  return (port, serverName, runtime) => {
    const tls = serverAt(servers, port, serverName)?.tls;
    const way = tls?.kind === 'pass' ? mostSpecific(tls.ways, serverName) : undefined;
    const all = (way && shares.get(way)) ?? [];
    let left = runtime.random.float() * all.reduce((sum, { weight }) => sum + weight, 0);
    const share = all.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    if (share !== undefined) return connected(share.target, runtime);
    const message = `no rule passes connections for ${serverName ?? 'no name'} on`;
    return Promise.reject(new HeddleError({ code: 'unavailable', reason: 'NO_ROUTE', message, sent: false }));
  };
}

/** To an instance that can be reached: nothing was sent, so that another is as good. */
async function connected({ group, config }: Target, runtime: Runtime): Promise<PassedConnection> {
  const tried: string[] = [];
  for (;;) {
    const call = Call.root(runtime);
    call.set(excluded, tried);
    try {
      const connection = await group.pickLater(call, ({ id, instance, load }) => {
        tried.push(id);
        load.begin(call);
        const timeoutMs = config.pool?.connectMs;
        const address = { host: instance.address, port: instance.port };
        return runtime.net.connect(address, timeoutMs === undefined ? {} : { timeoutMs });
      });
      return { connection, ended: () => call.end() };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      call.end(error);
      if (tried.length === 0 || tried.length >= attempts || new Set(tried).size < tried.length) throw error;
    }
  }
}
