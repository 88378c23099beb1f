import { ApiVersion, type ConfigSourceSchema } from '../../gen/envoy/config/core/v3/config_source_pb.ts';
import type { TransportSocketSchema } from '../../gen/envoy/config/core/v3/base_pb.ts';
import {
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcherSchema,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '../../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts';
import { SecretSchema } from '../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts';
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts';
import type { Cluster, ClusterTls } from '../../model/cluster.ts';
import type { GatewayTls } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { extension, resource, type Init } from './message.ts';
import type { Plane } from './plane.ts';

type TransportSocket = Init<typeof TransportSocketSchema>;
type CommonTls = Init<typeof CommonTlsContextSchema>;

/** The secret with the proxy's own certificate and key, and the one with the authorities that the mesh believes. */
export const secretNames: { readonly own: string; readonly roots: string } = {
  own: 'default',
  roots: 'ROOTCA',
};

/** The name of the certificate provider that a gRPC program's bootstrap must have. */
export const certificateProvider = 'default';

/** From the same stream as all else. */
export const overAds: Init<typeof ConfigSourceSchema> = {
  configSourceSpecifier: { case: 'ads', value: {} },
  resourceApiVersion: ApiVersion.V3,
};

/** Mesh TLS towards peers that must prove one of these SPIFFE IDs; with none, whatever the authority vouches for. */
export function meshUpstreamTls(
  plane: Plane,
  names: readonly string[],
  sni: string,
  protocol: Cluster['protocol'] = 'http2',
): TransportSocket {
  return extension(tlsName, UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: commonTls(plane, names, alpnOf[protocol]),
  });
}

/** Mesh TLS for those who call us. */
export function meshDownstreamTls(plane: Plane): TransportSocket {
  return extension(tlsName, DownstreamTlsContextSchema, {
    commonTlsContext: commonTls(plane, [], ['h2', 'http/1.1']),
    requireClientCertificate: true,
  });
}

/** TLS that a gateway ends. */
export function gatewayTls(tls: Exclude<GatewayTls, { mode: 'passthrough' }>): TransportSocket {
  if (tls.mode === 'mesh') return meshDownstreamTls('envoy');
  const { certificate, clients, least } = tls;
  return extension(tlsName, DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: least === '1.3' ? TlsProtocol.TLSv1_3 : TlsProtocol.TLSv1_2,
      },
      alpnProtocols: ['h2', 'http/1.1'],
      ...(certificate.kind === 'secret'
        ? { tlsCertificateSdsSecretConfigs: [{ name: certificate.name, sdsConfig: overAds }] }
        : {
            tlsCertificates: [
              { certificateChain: file(certificate.certificates), privateKey: file(certificate.privateKey) },
            ],
          }),
      ...(clients !== 'off' && { validationContextType: clientValidation(tls) }),
    },
    requireClientCertificate: clients === 'require',
  });
}

/** The secret with the authorities of a gateway's clients. */
export function authoritiesOf(secret: string): string {
  return `${secret}-cacert`;
}

function clientValidation({
  certificate,
  names,
}: Extract<GatewayTls, { mode: 'terminate' }>): NonNullable<CommonTls['validationContextType']> {
  const matchTypedSubjectAltNames = names.flatMap((name) => [
    sanMatcher(SanType.DNS, name),
    sanMatcher(SanType.URI, name),
  ]);
  if (certificate.kind === 'files')
    return {
      case: 'validationContext',
      value: {
        trustedCa: file(certificate.ca ?? systemRoots),
        matchTypedSubjectAltNames,
      },
    };
  return {
    case: 'combinedValidationContext',
    value: {
      defaultValidationContext: { matchTypedSubjectAltNames },
      validationContextSdsSecretConfig: { name: authoritiesOf(certificate.name), sdsConfig: overAds },
    },
  };
}

/** TLS of the outside world. */
export function outerUpstreamTls(tls: ClusterTls & { readonly mode: 'tls' }): TransportSocket {
  const { sni, names, ca, certificate, privateKey } = tls;
  const trusted = ca ?? (tls.insecureSkipVerify === true ? undefined : systemRoots);
  return extension(tlsName, UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: {
      tlsParams: leastVersion,
      ...(certificate !== undefined &&
        privateKey !== undefined && {
          tlsCertificates: [{ certificateChain: file(certificate), privateKey: file(privateKey) }],
        }),
      ...(trusted !== undefined && {
        validationContextType: {
          case: 'validationContext',
          value: {
            trustedCa: file(trusted),
            matchTypedSubjectAltNames: names.map((name) => sanMatcher(SanType.DNS, name)),
          },
        },
      }),
    },
  });
}

/** A certificate with its key, in PEM. */
export function certificateSecret(name: string, certificates: string, privateKey: string): XdsResource {
  return resource(name, SecretSchema, {
    name,
    type: {
      case: 'tlsCertificate',
      value: { certificateChain: inline(certificates), privateKey: inline(privateKey) },
    },
  });
}

/** The authorities that are believed, in PEM. */
export function rootsSecret(name: string, trust: string): XdsResource {
  return resource(name, SecretSchema, {
    name,
    type: { case: 'validationContext', value: { trustedCa: inline(trust) } },
  });
}

const tlsName = 'envoy.transport_sockets.tls';
const systemRoots = '/etc/ssl/certs/ca-certificates.crt';
const leastVersion = { tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2 };

/** What is agreed on must be what the cluster speaks: a server takes the first that it knows. */
const alpnOf: Readonly<Record<Cluster['protocol'], readonly string[]>> = {
  http1: ['http/1.1'],
  http2: ['h2'],
  tcp: [],
};

/** gRPC takes certificates from providers of its own, and has the names in an older field. */
function commonTls(plane: Plane, names: readonly string[], alpn: readonly string[]): CommonTls {
  if (plane === 'grpc') {
    const instance = { instanceName: certificateProvider, certificateName: '' };
    return {
      tlsCertificateProviderInstance: instance,
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          defaultValidationContext: {
            caCertificateProviderInstance: instance,
            matchSubjectAltNames: names.map((name) => ({ matchPattern: { case: 'exact', value: name } })),
          },
        },
      },
    };
  }
  return {
    tlsParams: leastVersion,
    alpnProtocols: [...alpn],
    tlsCertificateSdsSecretConfigs: [{ name: secretNames.own, sdsConfig: overAds }],
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: {
          matchTypedSubjectAltNames: names.map((name) => sanMatcher(SanType.URI, name)),
        },
        validationContextSdsSecretConfig: { name: secretNames.roots, sdsConfig: overAds },
      },
    },
  };
}

function sanMatcher(sanType: SanType, name: string): Init<typeof SubjectAltNameMatcherSchema> {
  return { sanType, matcher: { matchPattern: { case: 'exact', value: name } } };
}

function file(filename: string): { specifier: { case: 'filename'; value: string } } {
  return { specifier: { case: 'filename', value: filename } };
}

function inline(text: string): { specifier: { case: 'inlineString'; value: string } } {
  return { specifier: { case: 'inlineString', value: text } };
}
