import { type Labels, labels, type Port, portNumber, texts } from './terms.ts';
import { flag, list, object, oneOf, type Shape, text } from './shape.ts';

/** networking.istio.io Gateway: which ports and hosts a gateway workload listens on. */
export interface GatewaySpec {
  /** The gateway workloads, in any namespace. */
  readonly selector?: Labels;
  readonly servers?: readonly GatewayServer[];
}

/** One port of a gateway with the hosts that it serves. */
export interface GatewayServer {
  readonly port: Port & { readonly protocol: string };
  /** `host`, `*.host`, `namespace/host`, `./host`, `*`. */
  readonly hosts: readonly string[];
  readonly bind?: string;
  readonly defaultEndpoint?: string;
  readonly name?: string;
  readonly tls?: ServerTls;
}

/** How a server ends TLS, and which certificates it wants to see. */
export interface ServerTls {
  readonly mode?:
    | 'PASSTHROUGH'
    | 'SIMPLE'
    | 'MUTUAL'
    | 'AUTO_PASSTHROUGH'
    | 'ISTIO_MUTUAL'
    | 'OPTIONAL_MUTUAL';
  readonly httpsRedirect?: boolean;
  readonly credentialName?: string;
  readonly credentialNames?: readonly string[];
  readonly caCertCredentialName?: string;
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly tlsCertificates?: readonly ServerCertificate[];
  readonly subjectAltNames?: readonly string[];
  readonly insecureSkipVerify?: boolean;
  readonly verifyCertificateSpki?: readonly string[];
  readonly verifyCertificateHash?: readonly string[];
  readonly minProtocolVersion?: TlsVersion;
  readonly maxProtocolVersion?: TlsVersion;
  readonly cipherSuites?: readonly string[];
}

/** Files of a certificate that a server shows. */
export interface ServerCertificate {
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
}

/** A version of TLS as Istio writes it. */
export type TlsVersion = 'TLS_AUTO' | 'TLSV1_0' | 'TLSV1_1' | 'TLSV1_2' | 'TLSV1_3';

const tlsVersion = oneOf('TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3');

/** The shape of a `ServerTls`. */
export const serverTls: Shape<ServerTls> = object<ServerTls>({
  mode: oneOf('PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'),
  httpsRedirect: flag,
  credentialName: text(),
  credentialNames: texts,
  caCertCredentialName: text(),
  serverCertificate: text(),
  privateKey: text(),
  caCertificates: text(),
  caCrl: text(),
  tlsCertificates: list(
    object<ServerCertificate>({ serverCertificate: text(), privateKey: text(), caCertificates: text() }),
  ),
  subjectAltNames: texts,
  insecureSkipVerify: flag,
  verifyCertificateSpki: texts,
  verifyCertificateHash: texts,
  minProtocolVersion: tlsVersion,
  maxProtocolVersion: tlsVersion,
  cipherSuites: texts,
});

const port = object<GatewayServer['port']>(
  { number: portNumber, name: text(), protocol: text(), targetPort: portNumber },
  ['number', 'name', 'protocol'],
);

/** The shape of a Gateway of Istio. */
export const gatewaySpec: Shape<GatewaySpec> = object<GatewaySpec>({
  selector: labels,
  servers: list(
    object<GatewayServer>(
      { port, hosts: texts, bind: text(), defaultEndpoint: text(), name: text(), tls: serverTls },
      ['port', 'hosts'],
    ),
  ),
});
