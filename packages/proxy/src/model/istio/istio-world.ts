import { list, object, type Place, type Read, text, whole } from '../document.ts';
import type { UpstreamConfig } from '../../upstream/upstream-schema.ts';
import { type RuledHost, ruledHosts, targetOf } from './destination-rule.ts';
import { type Destination, hostName, metadata, titleOf } from './values.ts';

interface IstioGateway {
  readonly title: string;
  readonly names: readonly string[];
  readonly hosts: readonly string[];
}

/** What the resources of Istio in the files of a gateway say of each other. */
export class IstioWorld {
  readonly #ruled: RuledHost[] = [];
  readonly #gateways: IstioGateway[] = [];

  /** `roots`: all documents. What is wrong with them is reported when they are read by themselves. */
  constructor(roots: readonly Place[]) {
    for (const root of roots) {
      const kind = istioKindOf(root);
      if (kind === 'DestinationRule') this.#ruled.push(...(ruledHosts(root.silent()) ?? []));
      else if (kind === 'Gateway') {
        const made = istioGateway(root.silent());
        if (made !== undefined) this.#gateways.push(made);
      }
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

  /** Hosts of a VirtualService must be among those of the Gateways that it names; where it names one that is not here, anything is. */
  checkHosts(spec: Place): void {
    const names = spec.key('gateways')?.plain;
    const bound = this.#gateways.filter(
      (each) => Array.isArray(names) && each.names.some((name) => names.includes(name)),
    );
    if (bound.length === 0) return;
    const all = bound.flatMap(({ hosts }) => hosts);
    const hosts = spec.key('hosts');
    for (const place of hosts?.items((index) => `${hosts.path}[${index}]`) ?? []) {
      const host = String(place.plain);
      if (all.some((each) => covers(each, host))) continue;
      place.problem(`"${host}" is not among the hosts of ${bound.map(({ title }) => title).join(', ')}`);
    }
  }
}

/** The kind of a resource of Istio's networking; undefined for anything else. */
export function istioKindOf(root: Place): string | undefined {
  const version = root.key('apiVersion')?.plain;
  const kind = root.key('kind')?.plain;
  return typeof version === 'string' && /^networking\.istio\.io\/v1(beta1|alpha3)?$/.test(version)
    ? String(kind)
    : undefined;
}

function covers(pattern: string, host: string): boolean {
  const known = pattern.replace(/^[^/]*\//, '');
  return known === '*' || known === host || (known.startsWith('*.') && host.endsWith(known.slice(1)));
}

const serverHost: Read<string> = (at) => {
  const plain = at.plain;
  return typeof plain === 'string' && plain.includes('/') ? plain : hostName(at);
};

/**
 * Reads a Gateway: which hosts may come. Where the gateway listens and its certificates are in its own file: a server with
 * `tls` is a problem, since a secret of the cluster is no file here.
 */
export function istioGateway(at: Place): IstioGateway | undefined {
  const server = object<{ port: unknown; hosts: string[]; name?: string }>(
    {
      port: object<{ number: number; name: string; protocol: string }>(
        {
          number: whole(1, 65_535),
          name: text('a name'),
          protocol: text('HTTP, HTTP2 or GRPC', (value) => /^(HTTP|HTTP2|GRPC)$/.test(value)),
        },
        ['number', 'protocol'],
      ),
      hosts: list(serverHost, 100),
      name: text('a name'),
    },
    ['port', 'hosts'],
  );
  const made = object<{
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
    spec: { selector?: unknown; servers: { hosts: string[] }[] };
  }>(
    {
      apiVersion: text('a version'),
      kind: text('a kind'),
      metadata,
      spec: object<{ selector?: unknown; servers: { hosts: string[] }[] }>(
        // Whom it is for has been said by giving it to this gateway.
        { selector: (place) => place.path, servers: list(server, 100) },
        ['servers'],
      ),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  )(at);
  if (made === undefined) return undefined;
  const { name, namespace = 'default' } = made.metadata;
  const hosts = made.spec.servers.flatMap((each) => each.hosts);
  return { title: titleOf(at), names: [name, `${namespace}/${name}`], hosts };
}
