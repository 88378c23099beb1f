import type { Place } from '../document.ts';
import { commonHost, onListen, type PassedWay, type ServerConfig } from '../server.ts';
import type { UpstreamConfig } from '../../upstream/upstream-schema.ts';
import { type RuledHost, ruledHosts, targetOf } from './destination-rule.ts';
import { type IstioGateway, istioGateway, type IstioServer } from './gateway.ts';
import { isSecret, type NamedSecret, secretOf } from './secret.ts';
import { type TlsRule, tlsRule } from './tls-rule.ts';
import type { Destination } from './values.ts';

/** Hosts of a VirtualService, and where they are served; see `RouteMatch`. */
export interface ServedHosts {
  readonly hosts: readonly string[];
  readonly servers?: readonly string[];
}

/** What the resources of Istio in the files of a gateway say of each other. */
export class IstioWorld {
  readonly #ruled: RuledHost[] = [];
  readonly #gateways: IstioGateway[] = [];
  readonly #secrets: NamedSecret[] = [];
  readonly #services: Place[] = [];

  /** `roots`: all documents. What is wrong with them is reported when they are read by themselves. */
  constructor(roots: readonly Place[]) {
    const silent = roots.map((root) => root.silent());
    for (const root of silent) if (isSecret(root)) this.#keep(this.#secrets, secretOf(root));
    for (const root of silent) {
      const kind = istioKindOf(root);
      if (kind === 'DestinationRule') this.#ruled.push(...(ruledHosts(root) ?? []));
      else if (kind === 'Gateway') this.#keep(this.#gateways, this.#gateway(root));
      else if (kind === 'VirtualService') this.#services.push(root);
    }
  }

  /** What DestinationRules say, as upstreams. */
  get upstreams(): Readonly<Record<string, UpstreamConfig>> {
    return Object.fromEntries(this.#ruled.map(({ name, upstream }) => [name, upstream]));
  }

  /** The upstream of a destination; reported at `at` where there is none. */
  upstreamOf(at: Place, { host, subset, port }: Destination): string {
    const ruled = this.#ruled.find(
      (each) => targetOf(each.host) === targetOf(host) && each.subset === subset,
    );
    if (subset !== undefined && ruled === undefined)
      at.problem(`the subset "${subset}" of ${host} is in no DestinationRule of these files`);
    if (port === undefined) return ruled?.name ?? targetOf(host);
    // The registry knows the port of each instance; only the cluster's DNS needs one.
    if (ruled !== undefined)
      at.problem(`expected no port: instances of ${host} come from the registry, by its DestinationRule`);
    const known = host.includes('.') ? host : `${host}.default.svc`;
    return `${known}:${port.number}`;
  }

  /** Servers with TLS, and where those that pass it on send it. */
  get servers(): ServerConfig[] {
    return this.#gateways.flatMap((gateway) =>
      gateway.servers.flatMap(({ name, port, hosts, role }): ServerConfig[] => {
        if (role.kind === 'end') return [{ name, port, hosts, tls: role }];
        if (role.kind !== 'pass') return [];
        const ways = this.#services
          .filter((root) => isBound(gateway, root.key('spec')))
          .flatMap((root) => this.#waysOf(root, port, hosts));
        return [{ name, port, hosts, tls: { kind: 'pass', ways } }];
      }),
    );
  }

  /** Reads a Gateway, and compares it with the others. */
  checkedGateway(at: Place): IstioGateway | undefined {
    const read = this.#gateway(at);
    const secured = this.#gateways.flatMap(({ servers }) => servers.filter(({ role }) => hasPort(role.kind)));
    for (const { name, place, port, hosts, role } of read?.servers ?? []) {
      if (!hasPort(role.kind)) continue;
      const before = secured.slice(
        0,
        Math.max(
          0,
          secured.findIndex((each) => each.name === name),
        ),
      );
      for (const host of hosts) {
        const other = before.find((each) => each.port === port && each.hosts.includes(host));
        if (other !== undefined) place.problem(`"${host}" at port ${port} is of ${other.name} already`);
      }
    }
    return read;
  }

  /**
   * Where the hosts of a VirtualService are served: what they have in common with those of the servers of the Gateways that
   * it names. Where it names none that is here, all of them at `listen`. Reports those that none serves.
   */
  servedHosts(spec: Place): readonly ServedHosts[] {
    const bound = this.#gateways.filter((each) => isBound(each, spec));
    const hosts = spec.key('hosts');
    const places = hosts?.items((index) => `${hosts.path}[${index}]`) ?? [];
    if (bound.length === 0) return [{ hosts: anyOr(places.map(({ plain }) => String(plain))) }];
    const servers = bound.flatMap((each) => each.servers);
    const servedBy = new Map<string, Set<string>>();
    for (const place of places) {
      const common = servers.flatMap((server) => commonOf(String(place.plain), server));
      if (common.length === 0)
        place.problem(
          `"${String(place.plain)}" is not among the hosts of ${bound.map(({ title }) => title).join(', ')}`,
        );
      for (const [host, server] of common) {
        const names = servedBy.get(host) ?? new Set();
        servedBy.set(host, names);
        if (server.role.kind === 'plain') names.add(onListen);
        if (server.role.kind === 'end') names.add(server.name);
      }
    }
    const groups = Map.groupBy([...servedBy.keys()], (host) =>
      JSON.stringify([...(servedBy.get(host) ?? [])]),
    );
    return [...groups].flatMap(([key, group]): ServedHosts[] => {
      const names = JSON.parse(key) as string[];
      if (names.length === 0) return [];
      const isPlain = names.length === 1 && names[0] === onListen;
      return [{ hosts: anyOr(group), ...(!isPlain && { servers: names }) }];
    });
  }

  /** Whether a Gateway that a VirtualService names passes TLS on. */
  passesFor(spec: Place): boolean {
    const bound = this.#gateways.filter((each) => isBound(each, spec));
    return bound.some(({ servers }) => servers.some(({ role }) => role.kind === 'pass'));
  }

  #gateway(at: Place): IstioGateway | undefined {
    return istioGateway(at, (namespace, name) =>
      this.#secrets.find((each) => each.namespace === namespace && each.name === name),
    );
  }

  #keep<T>(all: T[], made: T | undefined): void {
    if (made !== undefined) all.push(made);
  }

  #waysOf(root: Place, port: number, served: readonly string[]): PassedWay[] {
    const rules = root.key('spec')?.key('tls');
    return (rules?.items(() => '') ?? []).flatMap((place) => {
      const rule: TlsRule | undefined = tlsRule(place);
      const shares = (rule?.route ?? []).map(({ destination, weight = 1 }) => ({
        upstream: this.upstreamOf(place, destination),
        weight,
      }));
      return (rule?.matches ?? []).flatMap((match): PassedWay[] => {
        if (!match.isOurs || (match.port !== undefined && match.port !== port)) return [];
        const hosts = match.sniHosts.flatMap((name) =>
          served.flatMap((host) => commonHost(name, host) ?? []),
        );
        return hosts.length === 0 ? [] : [{ hosts, shares }];
      });
    });
  }
}

function hasPort(kind: IstioServer['role']['kind']): boolean {
  return kind === 'end' || kind === 'pass';
}

function isBound(gateway: IstioGateway, spec: Place | undefined): boolean {
  const names = spec?.key('gateways')?.plain;
  return Array.isArray(names) && gateway.names.some((name) => names.includes(name));
}

function commonOf(host: string, server: IstioServer): (readonly [string, IstioServer])[] {
  return server.hosts.flatMap((each) => {
    const common = commonHost(host, each);
    return common === undefined ? [] : [[common, server] as const];
  });
}

/** No names are any name. */
function anyOr(hosts: readonly string[]): readonly string[] {
  return hosts.includes('*') ? [] : hosts;
}

/** The kind of a resource of Istio's networking; undefined for anything else. */
export function istioKindOf(root: Place): string | undefined {
  const version = root.key('apiVersion')?.plain;
  const kind = root.key('kind')?.plain;
  return typeof version === 'string' && /^networking\.istio\.io\/v1(beta1|alpha3)?$/.test(version)
    ? String(kind)
    : undefined;
}
