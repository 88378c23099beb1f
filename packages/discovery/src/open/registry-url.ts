import { type Address, HeddleError } from '@heddle/kernel';
import { isHost } from '../registry/names.ts';
import { type DiscoveryBackend, discoveryBackends } from '../service/discovery-backend.ts';

/** Which registry is meant, as read from text such as `consul://10.0.0.1:8500,10.0.0.2/team?user=web`. */
export interface RegistryUrl {
  readonly text: string;
  readonly backend: DiscoveryBackend;
  /** True for a scheme with `+tls`. */
  readonly secure: boolean;
  /** In the order given; none for a backend that finds its server by itself (`k8s:`) or is in this process (`embedded:`). */
  readonly addresses: readonly Address[];
  /** What follows the addresses, decoded, without slashes at its ends: a prefix, a chroot, a namespace. */
  readonly path: string;
  /** What follows `?`, each name once. */
  readonly parameters: ReadonlyMap<string, string>;
}

const schemes: ReadonlyMap<string, DiscoveryBackend> = new Map([
  ...discoveryBackends.map((backend) => [backend, backend] as const),
  ['k8s', 'kubernetes'],
]);

/** Where a backend's server is when nobody says; port 0: it has none. */
const defaultPorts: Readonly<Record<DiscoveryBackend, number>> = {
  embedded: 8090,
  consul: 8500,
  etcd: 2379,
  zookeeper: 2181,
  kubernetes: 6443,
  eureka: 8761,
  nacos: 8848,
  dns: 53,
  xds: 15_010,
};
const withoutServer: ReadonlySet<DiscoveryBackend> = new Set(['embedded', 'kubernetes']);

/**
 * Reads `scheme[+tls]:[//host[:port][,host[:port]…]][/path][?name=value&…]`, or the bare name of a backend, which is
 * then on this machine at its usual port. No user and no secret is part of it: a URL ends up in logs and process
 * lists. Throws `invalid_argument` / `BAD_REGISTRY_URL` with all problems at once.
 */
export function parseRegistryUrl(text: string): RegistryUrl {
  const problems: string[] = [];
  const match = /^([a-z0-9]+)(\+tls)?(?::(?:\/\/([^/?#]*))?(\/[^?#]*)?(?:\?([^#]*))?)?$/.exec(text);
  const [, scheme = '', tls, authority, path = '', query = ''] = match ?? [];
  const backend = schemes.get(scheme);
  if (backend === undefined) {
    const known = [...schemes.keys()].join(', ');
    throw badUrl(text, [`expected one of ${known}, alone or with "://host:port", found "${scheme || text}"`]);
  }
  const places = authority === undefined || authority === '' ? [] : authority.split(',');
  const addresses = places.flatMap((place) => readPlace(place, defaultPorts[backend], problems));
  if (places.length === 0 && !withoutServer.has(backend)) {
    addresses.push({ host: '127.0.0.1', port: defaultPorts[backend] });
  }
  const parameters = readParameters(query, problems);
  const decoded = decode(path, problems).replaceAll(/^\/+|\/+$/g, '');
  if (problems.length > 0) throw badUrl(text, problems);
  return { text, backend, secure: tls !== undefined, addresses, path: decoded, parameters };
}

function readPlace(place: string, defaultPort: number, problems: string[]): Address[] {
  if (place.includes('@')) {
    problems.push('a user or secret before "@" would be seen by others: give "user=" and a secret by file');
    return [];
  }
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(place);
  const host = (match?.[1] ?? '').replace(/^\[|\]$/g, '');
  const port = Number(match?.[2] ?? defaultPort);
  if (match !== null && isHost(host) && port >= 1 && port <= 65_535) return [{ host, port }];
  problems.push(`expected host, host:port or [v6 address]:port, found "${place}"`);
  return [];
}

function readParameters(query: string, problems: string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', ...value] = part.split('=');
    if (name === '' || value.length === 0) problems.push(`expected name=value, found "${part}"`);
    else if (parameters.has(name)) problems.push(`expected "${name}" once, found it again`);
    else parameters.set(name, decode(value.join('='), problems));
  }
  return parameters;
}

function decode(text: string, problems: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.push(`expected percent-encoded UTF-8, found "${text}"`);
    return '';
  }
}

/** `invalid_argument` / `BAD_REGISTRY_URL`: what is wrong with it. */
export function badUrl(text: string, problems: readonly string[]): HeddleError {
  // What stands before an "@" may be a secret.
  const shown = text.replace(/\/\/[^/]*@/g, '//…@');
  const message = `the registry "${shown}": ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REGISTRY_URL', message, sent: false });
}
