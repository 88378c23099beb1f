import { type Call, HeddleError } from '@heddle/kernel';
import { Health, type HealthCheckResponse_ServingStatus as Status } from '../gen/grpc/health/v1/health_pb.ts';
import { HealthCheckResponse_ServingStatus as status } from '../gen/grpc/health/v1/health_pb.ts';
import type { RpcRouter } from '../server/rpc-service.ts';

/**
 * What a server says of its health: of each service by full name, and of itself as a whole under the empty name.
 * `grpc.health.v1` reads it (grpc/grpc `doc/health-checking.md`); a registration turns it on and off.
 */
export class HealthBoard {
  readonly #serving = new Map<string, boolean>([['', false]]);
  readonly #watchers = new Set<() => void>();
  #closed = false;

  /** States whether a service serves; `''` is the server. */
  set(service: string, serving: boolean): void {
    if (this.#serving.get(service) === serving) return;
    this.#serving.set(service, serving);
    for (const watcher of this.#watchers) watcher();
  }

  /** States the same of all that are known. */
  setAll(serving: boolean): void {
    for (const service of this.#serving.keys()) this.set(service, serving);
  }

  /** Whether it serves; undefined for a service that is not known. */
  serving(service: string): boolean | undefined {
    return this.#serving.get(service);
  }

  /** Ends all watches, after what they have yet to say: a server that drains must not wait for those who watch it. */
  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher();
  }

  /** Adds the health service to a server, and all that the server serves to the board. */
  serveOn(router: RpcRouter): void {
    for (const service of router.services) if (!this.#serving.has(service)) this.#serving.set(service, false);
    router.service(Health, {
      check: ({ service }) => {
        const serving = this.#serving.get(service);
        if (serving !== undefined) return { status: statusOf(serving) };
        const message = `no service ${JSON.stringify(service)} is known here`;
        throw new HeddleError({ code: 'not_found', reason: 'UNKNOWN_SERVICE', message });
      },
      watch: ({ service }, call) => this.#watch(service, call),
    });
  }

  /** The status now and after each change; changes that come faster than they are read are skipped. */
  async *#watch(service: string, call: Call): AsyncGenerator<{ status: Status }, void> {
    let changed: () => void = () => {};
    const watcher = (): void => changed();
    this.#watchers.add(watcher);
    call.onEnd(() => this.#watchers.delete(watcher));
    for (let last: Status | undefined; ; ) {
      const next = new Promise<void>((resolve) => {
        changed = resolve;
      });
      const now = statusOf(this.#serving.get(service));
      if (now !== last) yield { status: now };
      last = now;
      if (this.#closed) return;
      await next;
    }
  }
}

function statusOf(serving: boolean | undefined): Status {
  if (serving === undefined) return status.SERVICE_UNKNOWN;
  return serving ? status.SERVING : status.NOT_SERVING;
}
