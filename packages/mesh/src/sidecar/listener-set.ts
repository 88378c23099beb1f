import type { Address, Connection, Runtime } from '@heddle/kernel';
import { HeddleError } from '@heddle/kernel';
import { type HttpServer, type HttpService, serve, type ServeTls, TcpRelay } from '@heddle/wire';
import type { PartRefusal } from '../plane/plane-messages.ts';

/** Who takes a connection whose bytes are only passed on: gives the other end, or rejects, and it is closed. */
export type Joined = (connection: Connection) => Promise<Connection>;

/** A place to listen, and what is done there. */
export interface WantedListener {
  /** The part of the rules that it comes of, to be named where it cannot be. */
  readonly part: string;
  readonly address: Address;
  /** Undefined: plaintext. The same object as long as nothing changes. */
  readonly tls: ServeTls | undefined;
  readonly does: { readonly http: HttpService } | { readonly tcp: Joined };
}

interface Open {
  wanted: WantedListener;
  readonly drain: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The places where a sidecar listens, kept in step with what is wanted. What is done at a place may change under it. */
export class ListenerSet {
  readonly #runtime: Runtime;
  readonly #open = new Map<string, Open>();
  readonly #leaving = new Set<Open>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Listens where it is wanted, and nowhere else. Gives the places that cannot be had. */
  async apply(wanted: readonly WantedListener[]): Promise<readonly PartRefusal[]> {
    const refused: PartRefusal[] = [];
    const byPlace = new Map(wanted.map((each) => [placeOf(each), each]));
    await Promise.all(
      [...this.#open].map(async ([place, open]) => {
        const next = byPlace.get(place);
        if (next !== undefined && next.tls === open.wanted.tls && isHttp(next) === isHttp(open.wanted))
          return;
        this.#open.delete(place);
        await this.#letGo(open);
      }),
    );
    for (const [place, each] of byPlace) {
      const open = this.#open.get(place);
      if (open !== undefined) {
        open.wanted = each;
        continue;
      }
      try {
        this.#open.set(place, await this.#listen(each));
      } catch (thrown) {
        refused.push({ part: each.part, message: HeddleError.from(thrown).message });
      }
    }
    return refused;
  }

  /** Accepts no more; resolves when what is in flight is done. */
  async drain(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#leaving].map((each) => each.drain()));
  }

  /** Drops all. */
  async stop(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#leaving].map((each) => each.stop()));
  }

  /** The port is free at once; what is in flight finishes. */
  async #letGo(open: Open): Promise<void> {
    this.#leaving.add(open);
    const drained = open.drain().finally(() => this.#leaving.delete(open));
    // `drain` closes the port in its first step.
    await Promise.race([drained, Promise.resolve()]);
  }

  async #listen(wanted: WantedListener): Promise<Open> {
    return isHttp(wanted) ? this.#serve(wanted) : this.#relay(wanted);
  }

  async #serve(wanted: WantedListener): Promise<Open> {
    const { address, tls } = wanted;
    const service: HttpService = (req, call) =>
      'http' in open.wanted.does ? open.wanted.does.http(req, call) : Promise.reject(gone());
    const server: HttpServer = await serve(service, {
      runtime: this.#runtime,
      address,
      ...(tls !== undefined && { tls }),
    });
    const open: Open = { wanted, drain: () => server.drain(), stop: () => server.stop() };
    return open;
  }

  async #relay(wanted: WantedListener): Promise<Open> {
    const { address, tls } = wanted;
    const relays = new Set<TcpRelay>();
    let isEmpty: () => void = () => undefined;
    const accept = (connection: Connection): void => {
      const { does } = open.wanted;
      if (!('tcp' in does)) {
        connection.destroy();
        return;
      }
      const relay: TcpRelay = new TcpRelay(connection, () => {
        relays.delete(relay);
        if (relays.size === 0) isEmpty();
      });
      relays.add(relay);
      does.tcp(connection).then(
        (other) => relay.join(other),
        () => relay.destroy(),
      );
    };
    const listener = await this.#runtime.net.listen(address, accept, tls === undefined ? {} : { tls });
    const open: Open = {
      wanted,
      drain: async () => {
        await listener.close();
        if (relays.size > 0) await new Promise<void>((resolve) => (isEmpty = resolve));
      },
      stop: async () => {
        await listener.close();
        for (const relay of relays) relay.destroy();
      },
    };
    return open;
  }
}

function placeOf({ address: { host, port } }: WantedListener): string {
  return `${host} ${port}`;
}

function isHttp({ does }: WantedListener): boolean {
  return 'http' in does;
}

function gone(): HeddleError {
  const message = 'this port has changed what it speaks';
  return new HeddleError({ code: 'unavailable', reason: 'PORT_CHANGED', message, sent: false });
}
