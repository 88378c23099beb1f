import { flag, list, object, oneOf, type Place, type Read, text, whole } from '../document.ts';
import { file } from '../listen-schema.ts';
import type { EndedTls, ServerCertificate } from '../server.ts';
import { hostName, label, metadata, titleOf } from './values.ts';

/** What a server of a Gateway does with what comes to it. */
export type ServerRole =
  /** It takes what comes without TLS; that is at `listen`, whatever its port. */
  | { readonly kind: 'plain' }
  /** The same, and sends it on to `https`. */
  | { readonly kind: 'redirect' }
  | { readonly kind: 'pass' }
  | EndedTls;

/** A server of a Gateway. */
export interface IstioServer {
  /** `Gateway shop/public servers[1]`. */
  readonly name: string;
  readonly place: Place;
  readonly port: number;
  /** Without namespaces, in lower case. */
  readonly hosts: readonly string[];
  readonly role: ServerRole;
}

/** A Gateway. */
export interface IstioGateway {
  readonly title: string;
  /** How VirtualServices may call it. */
  readonly names: readonly string[];
  readonly servers: readonly IstioServer[];
}

/** A Secret with a certificate: what is not there is undefined. */
export interface CertificateSecret {
  readonly certificates: string | undefined;
  readonly privateKey: string | undefined;
  readonly trust: string | undefined;
}

/** Gives the Secret of that name and namespace; undefined if none of the files has it. */
export type FindSecret = (namespace: string, name: string) => CertificateSecret | undefined;

interface ServerDocument {
  port: { number: number; name?: string; protocol: string };
  hosts: string[];
  name?: string;
  tls?: TlsDocument;
}

interface TlsDocument {
  mode?: 'SIMPLE' | 'MUTUAL' | 'OPTIONAL_MUTUAL' | 'PASSTHROUGH';
  httpsRedirect?: boolean;
  credentialName?: string;
  serverCertificate?: string;
  privateKey?: string;
  caCertificates?: string;
  subjectAltNames?: string[];
  minProtocolVersion?: Version;
  maxProtocolVersion?: Version;
  cipherSuites?: string[];
}

type Version = 'TLS_AUTO' | 'TLSV1_2' | 'TLSV1_3';

// Those of Istio that OpenSSL still has.
const suites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
] as const;

const version = oneOf('TLS_AUTO', 'TLSV1_2', 'TLSV1_3');

const tlsDocument: Read<TlsDocument> = object<TlsDocument>(
  {
    mode: oneOf('SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL', 'PASSTHROUGH'),
    httpsRedirect: flag,
    credentialName: label,
    serverCertificate: file,
    privateKey: file,
    caCertificates: file,
    subjectAltNames: list(text('a DNS name or a URI'), 100),
    minProtocolVersion: version,
    maxProtocolVersion: version,
    cipherSuites: list(oneOf(...suites), suites.length),
  },
  [],
);

const serverHost: Read<string> = (at) => {
  const { plain } = at;
  if (typeof plain !== 'string' || !plain.includes('/')) return hostName(at);
  const host = plain.slice(plain.indexOf('/') + 1);
  return /^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.test(host)
    ? host
    : at.expected('a host name, after a namespace or not');
};

const serverDocument: Read<ServerDocument> = object<ServerDocument>(
  {
    port: object<ServerDocument['port']>(
      {
        number: whole(1, 65_535),
        name: text('a name'),
        protocol: oneOf('HTTP', 'HTTP2', 'GRPC', 'HTTPS', 'TLS'),
      },
      ['number', 'protocol'],
    ),
    hosts: list(serverHost, 100),
    name: text('a name'),
    tls: tlsDocument,
  },
  ['port', 'hosts'],
);

/**
 * Reads a Gateway: which hosts may come, and how. What comes without TLS comes by the gateway's own `listen`; a server with
 * TLS has the port that it says.
 */
export function istioGateway(at: Place, secrets: FindSecret): IstioGateway | undefined {
  const made = object<{
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
    spec: { selector?: unknown; servers: ServerDocument[] };
  }>(
    {
      apiVersion: text('a version'),
      kind: text('a kind'),
      metadata,
      spec: object<{ selector?: unknown; servers: ServerDocument[] }>(
        // Whom it is for has been said by giving it to this gateway.
        { selector: (place) => place.path, servers: list(serverDocument, 100) },
        ['servers'],
      ),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  )(at);
  const title = titleOf(at);
  const places = at
    .key('spec')
    ?.key('servers')
    ?.items((index) => `${title} servers[${index}]`);
  // A server that cannot be read is a problem of the whole file: nothing is served by what is left of it.
  if (made === undefined || places?.length !== made.spec.servers.length) return undefined;
  const { name, namespace = 'default' } = made.metadata;
  const servers = made.spec.servers.flatMap((server, index): IstioServer[] => {
    const place = places[index] as Place;
    const role = roleOf(place, server, (secret) => secrets(namespace, secret));
    const { number: port } = server.port;
    return role === undefined ? [] : [{ name: place.path, place, port, hosts: server.hosts, role }];
  });
  return { title, names: [name, `${namespace}/${name}`], servers };
}

function roleOf(
  at: Place,
  { port: { protocol }, tls }: ServerDocument,
  secret: (name: string) => CertificateSecret | undefined,
): ServerRole | undefined {
  const isSecure = protocol === 'HTTPS' || protocol === 'TLS';
  if (tls === undefined) return isSecure ? at.problem(`${protocol} needs "tls"`) : { kind: 'plain' };
  const where = at.key('tls') ?? at;
  const { mode, httpsRedirect, ...others } = tls;
  if (!isSecure) {
    if (mode === undefined && Object.keys(others).length === 0)
      return { kind: httpsRedirect === true ? 'redirect' : 'plain' };
    return where.problem(`${protocol} has no TLS but "httpsRedirect": expected the protocol HTTPS`);
  }
  if (mode === undefined) return where.problem('the key "mode" is missing');
  if (mode === 'PASSTHROUGH') {
    const [extra] = Object.keys(others);
    return extra === undefined
      ? { kind: 'pass' }
      : where.problem(`PASSTHROUGH ends no TLS, so "${extra}" means nothing`);
  }
  if (protocol === 'TLS')
    return where.problem(`what comes out of TLS is HTTP here: expected the protocol HTTPS for ${mode}`);
  return ended(where, tls, mode, secret);
}

function ended(
  at: Place,
  tls: TlsDocument,
  mode: 'SIMPLE' | 'MUTUAL' | 'OPTIONAL_MUTUAL',
  secret: (name: string) => CertificateSecret | undefined,
): EndedTls | undefined {
  const clients = mode === 'MUTUAL' ? 'require' : mode === 'OPTIONAL_MUTUAL' ? 'optional' : 'off';
  const certificate = certificateOf(at, tls, clients !== 'off', secret);
  const { subjectAltNames = [], minProtocolVersion, maxProtocolVersion, cipherSuites = [] } = tls;
  if (clients === 'off' && subjectAltNames.length > 0)
    return at.problem('"subjectAltNames" are of clients, which SIMPLE does not ask: expected MUTUAL');
  if (minProtocolVersion === 'TLSV1_3' && maxProtocolVersion === 'TLSV1_2')
    return at.problem('"minProtocolVersion" is above "maxProtocolVersion"');
  return (
    certificate && {
      kind: 'end',
      certificate,
      clients,
      clientNames: subjectAltNames,
      oldest: versionOf(minProtocolVersion),
      newest: versionOf(maxProtocolVersion),
      ciphers: cipherSuites,
    }
  );
}

function versionOf(written: Version | undefined): 'TLSv1.2' | 'TLSv1.3' | undefined {
  if (written === undefined || written === 'TLS_AUTO') return undefined;
  return written === 'TLSV1_2' ? 'TLSv1.2' : 'TLSv1.3';
}

/** A Secret among the files, or a folder of its name with what Kubernetes puts into one where it mounts the Secret. */
function certificateOf(
  at: Place,
  tls: TlsDocument,
  needsTrust: boolean,
  secret: (name: string) => CertificateSecret | undefined,
): ServerCertificate | undefined {
  const { credentialName: name, serverCertificate, privateKey, caCertificates } = tls;
  if (name === undefined) {
    if (serverCertificate === undefined || privateKey === undefined)
      return at.problem('expected "credentialName", or "serverCertificate" with "privateKey"');
    if (needsTrust && caCertificates === undefined)
      return at.problem(`${tls.mode} needs "caCertificates": whose clients are believed`);
    const clientAuthorities = needsTrust ? caCertificates : undefined;
    return { kind: 'files', cert: serverCertificate, key: privateKey, clientAuthorities };
  }
  if (serverCertificate !== undefined || privateKey !== undefined || caCertificates !== undefined)
    return at.problem('expected either "credentialName" or files');
  const found = secret(name);
  if (found === undefined) {
    const clientAuthorities = needsTrust ? `${name}/ca.crt` : undefined;
    return { kind: 'files', cert: `${name}/tls.crt`, key: `${name}/tls.key`, clientAuthorities };
  }
  const trust = needsTrust ? (found.trust ?? secret(`${name}-cacert`)?.trust) : undefined;
  if (found.certificates === undefined || found.privateKey === undefined)
    return at.problem(`the Secret ${name} has no "tls.crt" with a "tls.key"`);
  if (needsTrust && trust === undefined)
    return at.problem(`${tls.mode} needs "ca.crt" in the Secret ${name} or in ${name}-cacert`);
  return { kind: 'secret', certificates: found.certificates, privateKey: found.privateKey, trust };
}
