import { HeddleError } from '../../error.ts';
import { checkPort } from '../../port-range.ts';
import type { Address, Connection, ConnectOptions, Listener, Net } from '../../ports/net.ts';
import type { Random } from '../../ports/random.ts';
import type { SimulatedProcess } from '../process.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { Endpoint, type EndpointHost } from './endpoint.ts';
import { Handshake } from './handshake.ts';
import { Link, type LinkConditions, lan, loopback } from './link.ts';
import { Stream } from './stream.ts';

/** Something that happened on the network: for transcripts. */
export interface NetEvent {
  /** `connect`, `refused`, `timeout`, `accept`, `data`, `end`, `reset`, `timed out`, `close` … */
  readonly what: string;
  /** Whom it happened to. */
  readonly host: string;
  readonly peer: string;
  /** Which connection, e.g. `a:49152>b:80`. */
  readonly connection: string;
  /** What came; only in `data`. */
  readonly bytes?: Uint8Array;
}

/** What a network is made from. */
export interface SimulatedNetOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  /** What links are like that nobody has set. Default: `lan`. */
  readonly defaults?: Partial<LinkConditions>;
  /** Told of all that happens. Must not throw. */
  readonly observe?: (event: NetEvent) => void;
}

/** A machine on the network. Its process changes; open connections do not survive the change. */
interface Machine extends EndpointHost {
  readonly name: string;
  up: boolean;
  readonly listeners: Map<number, SimulatedListener>;
  readonly endpoints: Set<Endpoint>;
  nextPort: number;
}

interface SimulatedListener {
  readonly host: string;
  readonly process: SimulatedProcess;
  readonly accept: (connection: Connection) => void;
}

const selfNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);
const anyNames: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const firstFreePort = 49_152;

/**
 * Hosts by name, and TCP between them, under a seed. `attach` gives a process its `Net`, to the contract of the port.
 * A host's name is its address; `localhost` and `127.0.0.1` are the host itself, `0.0.0.0` is everybody's way in.
 */
export class SimulatedNet {
  readonly #options: SimulatedNetOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #links = new Map<string, Link>();
  #defaults: LinkConditions;

  constructor(options: SimulatedNetOptions) {
    this.#options = options;
    this.#defaults = { ...lan, ...options.defaults };
  }

  /** Makes `process` the one that runs on `host`, switches the host on, and gives the process its sockets. */
  attach(host: string, process: SimulatedProcess): Net {
    const machine = this.#machines.get(host) ?? this.#install(host);
    machine.up = true;
    process.onDeath((death) => {
      if (death === 'power') machine.up = false;
      machine.listeners.clear();
      for (const endpoint of Array.from(machine.endpoints)) endpoint.lose(death);
    });
    return {
      connect: (address, options) =>
        options?.tls === undefined ? this.#connect(machine, process, address, options) : refuseTls(),
      listen: (address, accept, options) =>
        (options?.tls ?? options?.tlsByName) === undefined
          ? this.#listen(machine, process, address, accept)
          : refuseTls(),
    };
  }

  /** Changes one direction of one link. What is not given stays. */
  setLink(from: string, to: string, change: Partial<LinkConditions>): void {
    const link = this.#link(from, to);
    link.conditions = { ...link.conditions, ...change };
  }

  /** Changes all links between different hosts, in both directions, and those that will be. */
  setAllLinks(change: Partial<LinkConditions>): void {
    this.#defaults = { ...this.#defaults, ...change };
    for (const [name, link] of this.#links) {
      const [from, to] = name.split('>');
      if (from !== to) link.conditions = { ...link.conditions, ...change };
    }
  }

  /** What one direction is like now. */
  linkConditions(from: string, to: string): LinkConditions {
    return this.#link(from, to).conditions;
  }

  /** Connections that the process on that host has not closed. */
  openConnections(host: string): number {
    let open = 0;
    for (const endpoint of this.#machines.get(host)?.endpoints ?? []) if (endpoint.held) open++;
    return open;
  }

  #install(name: string): Machine {
    const machine: Machine = {
      name,
      up: true,
      listeners: new Map(),
      endpoints: new Set(),
      nextPort: firstFreePort,
      coin: () => this.#options.random.float() < 0.5,
      after: (delayMs, task) => {
        this.#options.time.timers.after(delayMs, task);
      },
      forget: (endpoint) => machine.endpoints.delete(endpoint),
      note: (endpoint, what, bytes) => this.#note(what, name, endpoint.remote.host, endpoint.id, bytes),
    };
    this.#machines.set(name, machine);
    return machine;
  }

  #link(from: string, to: string): Link {
    const name = `${from}>${to}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link = new Link(from === to ? loopback : this.#defaults, this.#options.random);
    this.#links.set(name, link);
    return link;
  }

  async #connect(
    from: Machine,
    process: SimulatedProcess,
    address: Address,
    options: ConnectOptions = {},
  ): Promise<Connection> {
    checkPort(address, 1);
    const host = selfNames.has(address.host) ? from.name : address.host;
    const local = { host: from.name, port: this.#freePort(from) };
    const id = `${local.host}:${local.port}>${host}:${address.port}`;
    this.#note('connect', from.name, host, id);
    const handshake = new Handshake({
      time: this.#options.time,
      process,
      address,
      timeoutMs: options.timeoutMs ?? 5000,
      forward: this.#link(from.name, host),
      backward: this.#link(host, from.name),
      lookUp: () => {
        const machine = this.#machines.get(host);
        if (machine === undefined) return 'unknown';
        if (!machine.up) return 'down';
        return findListener(machine, address) === undefined ? 'refused' : 'listening';
      },
      establish: () =>
        this.#establish(from, process, { id, local, remote: { host, port: address.port } }, address),
      note: (what) => this.#note(what, from.name, host, id),
    });
    return handshake.run();
  }

  /** Both ends of a new connection. The far one is handed to its process when the client's first packet is there. */
  #establish(
    from: Machine,
    process: SimulatedProcess,
    names: { readonly id: string; readonly local: Address; readonly remote: Address },
    address: Address,
  ): Connection | undefined {
    const to = this.#machines.get(names.remote.host);
    const listener = to === undefined ? undefined : findListener(to, address);
    if (to === undefined || listener === undefined) return undefined;
    const { id, local, remote } = names;
    const near = new Endpoint({ id, local, remote, process, host: from });
    const accept = (connection: Connection): void => {
      this.#note('accept', to.name, from.name, id);
      listener.accept(connection);
    };
    const far = new Endpoint({
      id,
      local: remote,
      remote: local,
      process: listener.process,
      host: to,
      accept,
    });
    const { time, random } = this.#options;
    const there = { forward: this.#link(from.name, to.name), backward: this.#link(to.name, from.name) };
    const back = { forward: there.backward, backward: there.forward };
    const request = new Stream(time, random, there, { sender: near, receiver: far });
    const response = new Stream(time, random, back, { sender: far, receiver: near });
    near.attach(far, request, response);
    far.attach(near, response, request);
    from.endpoints.add(near);
    to.endpoints.add(far);
    request.open();
    return near;
  }

  async #listen(
    machine: Machine,
    process: SimulatedProcess,
    address: Address,
    accept: (connection: Connection) => void,
  ): Promise<Listener> {
    checkPort(address, 0);
    await this.#answer(process);
    const where = `listening on ${address.host}:${address.port}`;
    const own = address.host === machine.name || selfNames.has(address.host) || anyNames.has(address.host);
    if (!own) throw refusal('ADDRESS_NOT_AVAILABLE', `${where}: not an address of host ${machine.name}`);
    if (machine.listeners.has(address.port))
      throw refusal('ADDRESS_IN_USE', `${where}: somebody listens there`);
    const port = address.port === 0 ? this.#freePort(machine) : address.port;
    const listener = { host: address.host, process, accept };
    machine.listeners.set(port, listener);
    this.#note('listen', machine.name, '', `${address.host}:${port}`);
    return {
      address: { host: address.host, port },
      close: () => {
        if (machine.listeners.get(port) === listener) machine.listeners.delete(port);
        return this.#answer(process);
      },
    };
  }

  /** A turn of the system: never settles once the process is dead. */
  #answer(process: SimulatedProcess): Promise<void> {
    return new Promise((resolve) => process.timers.soon(resolve));
  }

  #freePort(machine: Machine): number {
    for (;;) {
      const port = machine.nextPort;
      machine.nextPort = port === 65_535 ? firstFreePort : port + 1;
      if (!machine.listeners.has(port)) return port;
    }
  }

  #note(what: string, host: string, peer: string, connection: string, bytes?: Uint8Array): void {
    const event = { what, host, peer, connection };
    this.#options.observe?.(bytes === undefined ? event : { ...event, bytes });
  }
}

/** A listener on the loopback address is not reached from elsewhere. */
function findListener(machine: Machine, address: Address): SimulatedListener | undefined {
  const listener = machine.listeners.get(address.port);
  if (listener === undefined) return undefined;
  const toSelf = selfNames.has(address.host);
  return toSelf || !selfNames.has(listener.host) ? listener : undefined;
}

function refusal(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}

/** Its handshake takes chance and time from OpenSSL, which no seed reaches; and plaintext in its place would prove nothing. */
function refuseTls(): Promise<never> {
  const message =
    'the simulated network does not speak TLS; leave `tls` out here, and test it on real sockets';
  const refused = { code: 'unimplemented', reason: 'TLS_UNSUPPORTED', message, sent: false } as const;
  return Promise.reject(new HeddleError(refused));
}
