import type { Connection, Runtime, TlsMaterial } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import { type Gateway, serverAt } from '@heddle/proxy';
import { type HttpServer, serve, type ServerLimits, type ServeTlsByName, TcpRelay } from '@heddle/wire';

/** The ports of a configuration's `servers`. Which server takes a connection is as the gateway is configured then. */
export class SecuredPorts {
  readonly #gateway: Gateway;
  readonly #runtime: Runtime;
  readonly #stores = new Map<string, TlsStore>();
  readonly #relays = new Set<TcpRelay>();
  #open: HttpServer[] = [];
  #isEmpty: () => void = () => {};

  /** `materials`: by the names of the servers. Throws as `TlsStore` does. */
  constructor(gateway: Gateway, runtime: Runtime, materials: Readonly<Record<string, TlsMaterial>>) {
    this.#gateway = gateway;
    this.#runtime = runtime;
    this.renew(materials);
  }

  /** Handshakes go by these from now on; connections that are open stay as they are. Throws as `TlsStore` does. */
  renew(materials: Readonly<Record<string, TlsMaterial>>): void {
    for (const [name, material] of Object.entries(materials)) {
      const known = this.#stores.get(name);
      if (known === undefined) this.#stores.set(name, new TlsStore(material));
      else if (JSON.stringify(known.current) !== JSON.stringify(material)) known.update(material);
    }
  }

  get connections(): number {
    return this.#open.reduce((sum, { connections }) => sum + connections, this.#relays.size);
  }

  /** Listens at each port. Rejects as `serve` does. */
  async start(host: string, limits: ServerLimits): Promise<void> {
    const ports = new Set(this.#gateway.config.servers.map(({ port }) => port));
    for (const port of ports) {
      const tlsByName: ServeTlsByName = {
        choose: (serverName) => this.#taker(port, serverName),
        passed: (connection) => this.#pass(connection, port),
      };
      const options = { runtime: this.#runtime, address: { host, port }, limits, tlsByName };
      this.#open.push(await serve(this.#gateway.serviceAt(port), options));
    }
  }

  /** Takes no more; resolves when what is open has ended. */
  async drain(): Promise<void> {
    const drained = this.#open.map((each) => each.drain());
    const empty =
      this.#relays.size === 0
        ? undefined
        : new Promise<void>((resolve) => {
            this.#isEmpty = resolve;
          });
    await Promise.all([...drained, empty]);
  }

  /** Drops all. */
  async stop(): Promise<void> {
    await Promise.all(this.#open.map((each) => each.stop()));
    for (const relay of this.#relays) relay.destroy();
  }

  #taker(port: number, serverName: string | undefined): ReturnType<ServeTlsByName['choose']> {
    const server = serverAt(this.#gateway.config.servers, port, serverName);
    if (server?.tls.kind === 'pass') return 'pass';
    const source = server && this.#stores.get(server.name);
    return source && server.tls.kind === 'end' ? { source, clients: server.tls.clients } : undefined;
  }

  #pass(connection: Connection, port: number): void {
    let ended = (): void => {};
    const relay: TcpRelay = new TcpRelay(connection, () => {
      this.#relays.delete(relay);
      ended();
      if (this.#relays.size === 0) this.#isEmpty();
    });
    this.#relays.add(relay);
    this.#gateway.pass(port, connection.passed?.serverName, this.#runtime).then(
      (other) => {
        ended = () => other.ended();
        relay.join(other.connection);
      },
      (error: unknown) => {
        this.#runtime.log('warn', 'a connection cannot be passed on', { port, error: String(error) });
        relay.destroy();
      },
    );
  }
}
