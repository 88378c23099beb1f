import type { Locality } from './endpoint.ts';
import type { JwtRule, MeshPolicy } from './policy.ts';
import type { RouteRule } from './rule.ts';

/** Names that share rules: the services of one listener are told apart by them. */
export interface VirtualHost {
  /** Names without port; `*.shop.example` for all below it, `*` for any. */
  readonly hosts: readonly string[];
  /** The first that matches is taken; if none does, the answer is 404. */
  readonly rules: readonly RouteRule[];
}

/** A port of a service, as its clients see it. */
export interface ServiceListener {
  /** The service's full name: `order.shop.svc.cluster.local`, or what a ServiceEntry calls it. */
  readonly host: string;
  /** Of the service; left out where that is not known. */
  readonly namespace?: string;
  /** Other names that it is called by: `order`, `order.shop`. */
  readonly aliases: readonly string[];
  readonly port: number;
  /** Where a sidecar listens for it. Left out: on the port of all services, told apart by name. */
  readonly address?: string;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp';
  readonly rules: readonly RouteRule[];
  /** Namespaces that see it. Empty: all. */
  readonly visibleIn: readonly string[];
}

/** Where the certificate of a gateway is: in a secret that it is given, or in files of the machine that it runs on. */
export type GatewayCertificate =
  | { readonly kind: 'secret'; readonly name: string }
  | {
      readonly kind: 'files';
      readonly certificates: string;
      readonly privateKey: string;
      readonly ca?: string;
    };

/** How a gateway takes TLS: it ends it, ends that of the mesh, or passes it on as it is. */
export type GatewayTls =
  | {
      readonly mode: 'terminate';
      readonly certificate: GatewayCertificate;
      readonly clients: 'off' | 'optional' | 'require';
      /** What clients must prove to be. Empty: whoever the authority vouches for. */
      readonly names: readonly string[];
      /** The least version. */
      readonly least: '1.2' | '1.3';
    }
  | { readonly mode: 'mesh' }
  | { readonly mode: 'passthrough' };

/** What a gateway does with some of the connections to a port. */
export interface GatewayServer {
  /** The names that TLS asks for, by which they are told from others of the port. Empty: all that no other has. */
  readonly sni: readonly string[];
  readonly protocol: 'http' | 'http2' | 'tcp';
  /** Left out: plaintext. */
  readonly tls?: GatewayTls;
  /** Of HTTP. */
  readonly hosts: readonly VirtualHost[];
  /** Of connections that are passed on. */
  readonly rules: readonly RouteRule[];
}

/** A port of a gateway. */
export interface GatewayListener {
  readonly address: string;
  readonly port: number;
  readonly servers: readonly GatewayServer[];
}

/** A secret of a gateway, in PEM. Given to who has proved to be its workload, and never logged. */
export interface GatewaySecret {
  readonly name: string;
  readonly certificates: string;
  readonly privateKey: string;
  /** The authorities of clients. */
  readonly ca?: string;
}

/** Whether callers must prove who they are: `permissive` takes mesh TLS and plaintext on one port. */
export type MtlsMode = 'strict' | 'permissive' | 'disable';

/** A port that a workload serves. */
export interface InboundPort {
  /** Where its sidecar listens. */
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp';
  /** Where the application listens. */
  readonly target: { readonly address: string; readonly port: number };
  readonly mtls: MtlsMode;
}

/** What of the rules about a workload no plane does, and where it was written. */
export interface Undone {
  readonly origin: string;
  readonly what: string;
  readonly instead: string;
}

/** Services that a workload calls: `*` for those of any namespace or name, `*.x` for names below `x`. */
export interface EgressScope {
  readonly namespace: string;
  readonly host: string;
}

/** A workload's own side: what it serves, and who may come. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly locality: Locality;
  readonly inbound: readonly InboundPort[];
  /** Those that apply to it, of all levels. */
  readonly policies: readonly MeshPolicy[];
  readonly jwt: readonly JwtRule[];
  /** It knows these services and no others; left out: all that are visible to its namespace. */
  readonly egress?: readonly EgressScope[];
  readonly undone?: readonly Undone[];
  /** For a gateway. */
  readonly gateway?: readonly GatewayListener[];
  readonly secrets?: readonly GatewaySecret[];
}

/** `spiffe://cluster.local/ns/shop/sa/order`. */
export function spiffeIdOf(
  trustDomain: string,
  { namespace, serviceAccount }: Pick<Workload, 'namespace' | 'serviceAccount'>,
): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}
