import { type LabelSelector, labelSelector, type Port, portNumber, texts } from './terms.ts';
import { type ConnectionPool, connectionPool } from './destination-rule.ts';
import { type ServerTls, serverTls } from './istio-gateway.ts';
import { list, object, oneOf, type Shape, text } from './shape.ts';
import { type Destination, destination } from './virtual-service.ts';

/** networking.istio.io Sidecar: what the proxies of some workloads listen on and can reach. It injects nothing. */
export interface SidecarSpec {
  readonly workloadSelector?: LabelSelector;
  readonly ingress?: readonly SidecarIngress[];
  readonly egress?: readonly SidecarEgress[];
  readonly inboundConnectionPool?: ConnectionPool;
  readonly outboundTrafficPolicy?: {
    readonly mode?: 'REGISTRY_ONLY' | 'ALLOW_ANY';
    readonly egressProxy?: Destination;
  };
}

/** A port of the proxy for its own application. */
export interface SidecarIngress {
  readonly port: Partial<Port>;
  readonly bind?: string;
  readonly captureMode?: CaptureMode;
  readonly defaultEndpoint?: string;
  readonly tls?: ServerTls;
  readonly connectionPool?: ConnectionPool;
}

/** Hosts that the application can reach, all ports or one. */
export interface SidecarEgress {
  readonly port?: Partial<Port>;
  readonly bind?: string;
  readonly captureMode?: CaptureMode;
  /** `namespace/host`; namespace may be `.`, `~`, `*`. */
  readonly hosts: readonly string[];
}

/** How traffic gets to a listener. */
export type CaptureMode = 'DEFAULT' | 'IPTABLES' | 'NONE';

const captureMode = oneOf('DEFAULT', 'IPTABLES', 'NONE');
const sidecarPort = object<Partial<Port>>({
  number: portNumber,
  name: text(),
  protocol: text(),
  targetPort: portNumber,
});

/** The shape of a Sidecar. */
export const sidecarSpec: Shape<SidecarSpec> = object<SidecarSpec>({
  workloadSelector: labelSelector,
  ingress: list(
    object<SidecarIngress>(
      {
        port: sidecarPort,
        bind: text(),
        captureMode,
        defaultEndpoint: text(),
        tls: serverTls,
        connectionPool,
      },
      ['port'],
    ),
  ),
  egress: list(
    object<SidecarEgress>({ port: sidecarPort, bind: text(), captureMode, hosts: texts }, ['hosts']),
  ),
  inboundConnectionPool: connectionPool,
  outboundTrafficPolicy: object<NonNullable<SidecarSpec['outboundTrafficPolicy']>>({
    mode: oneOf('REGISTRY_ONLY', 'ALLOW_ANY'),
    egressProxy: destination,
  }),
});
