import { type Labels, labels, portNumber, texts } from './terms.ts';
import { list, map, object, oneOf, type Shape, text } from './shape.ts';

/** gateway.networking.k8s.io Gateway: listeners of a gateway of some class. */
export interface KubernetesGatewaySpec {
  readonly gatewayClassName: string;
  readonly listeners: readonly Listener[];
  readonly addresses?: readonly GatewayAddress[];
  readonly infrastructure?: {
    readonly labels?: Labels;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly parametersRef?: Omit<FullRef, 'namespace'>;
  };
  readonly allowedListeners?: { readonly namespaces?: RouteNamespaces };
  readonly tls?: {
    readonly backend?: { readonly clientCertificateRef?: ObjectRef };
    readonly frontend?: {
      readonly default: FrontendTls;
      readonly perPort?: readonly { readonly port: number; readonly tls: FrontendTls }[];
    };
  };
}

/** Unique in its Gateway by port, protocol and hostname. */
export interface Listener {
  readonly name: string;
  readonly hostname?: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls?: {
    readonly mode?: 'Terminate' | 'Passthrough';
    readonly certificateRefs?: readonly ObjectRef[];
    readonly options?: Readonly<Record<string, string>>;
  };
  readonly allowedRoutes?: {
    readonly namespaces?: RouteNamespaces;
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

/** An address that the gateway asks for. */
export interface GatewayAddress {
  /** IPAddress where none is written. */
  readonly type?: string;
  readonly value?: string;
}

/** The namespaces of which routes may attach; Same where nothing is written. */
export interface RouteNamespaces {
  readonly from?: 'Same' | 'All' | 'Selector' | 'None';
  readonly selector?: ExpressionSelector;
}

/** Labels and expressions that must all hold. */
export interface ExpressionSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A reference to an object such as a Secret, in the own namespace where none is written. */
export interface ObjectRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A reference that must say what it refers to. */
export interface FullRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** How the certificates of clients are checked. */
export interface FrontendTls {
  readonly validation?: {
    readonly caCertificateRefs: readonly FullRef[];
    readonly mode?: 'AllowValidOnly' | 'AllowInsecureFallback';
  };
}

/** gateway.networking.k8s.io ReferenceGrant: who of other namespaces may refer to objects of this one. */
export interface ReferenceGrantSpec {
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}

const objectRef = object<ObjectRef>({ group: text(), kind: text(), name: text(), namespace: text() }, [
  'name',
]);

const fullRef = object<FullRef>({ group: text(), kind: text(), name: text(), namespace: text() }, [
  'group',
  'kind',
  'name',
]);
const parametersRef = object<Omit<FullRef, 'namespace'>>({ group: text(), kind: text(), name: text() }, [
  'group',
  'kind',
  'name',
]);

const expression = object<NonNullable<ExpressionSelector['matchExpressions']>[number]>(
  { key: text(), operator: text(), values: texts },
  ['key', 'operator'],
);

const namespaces = object<RouteNamespaces>({
  from: oneOf('Same', 'All', 'Selector', 'None'),
  selector: object<ExpressionSelector>({ matchLabels: labels, matchExpressions: list(expression) }),
});

const listener = object<Listener>(
  {
    name: text(),
    hostname: text(),
    port: portNumber,
    protocol: text(),
    tls: object<NonNullable<Listener['tls']>>({
      mode: oneOf('Terminate', 'Passthrough'),
      certificateRefs: list(objectRef),
      options: map(text()),
    }),
    allowedRoutes: object<NonNullable<Listener['allowedRoutes']>>({
      namespaces,
      kinds: list(
        object<{ readonly group?: string; readonly kind: string }>({ group: text(), kind: text() }, ['kind']),
      ),
    }),
  },
  ['name', 'port', 'protocol'],
);

const frontendTls = object<FrontendTls>({
  validation: object<NonNullable<FrontendTls['validation']>>(
    { caCertificateRefs: list(fullRef), mode: oneOf('AllowValidOnly', 'AllowInsecureFallback') },
    ['caCertificateRefs'],
  ),
});

type Tls = NonNullable<KubernetesGatewaySpec['tls']>;
type Frontend = NonNullable<Tls['frontend']>;
const tls = object<Tls>({
  backend: object<NonNullable<Tls['backend']>>({ clientCertificateRef: objectRef }),
  frontend: object<Frontend>(
    {
      default: frontendTls,
      perPort: list(
        object<NonNullable<Frontend['perPort']>[number]>({ port: portNumber, tls: frontendTls }, [
          'port',
          'tls',
        ]),
      ),
    },
    ['default'],
  ),
});

/** The shape of a Gateway of the Gateway API. */
export const kubernetesGatewaySpec: Shape<KubernetesGatewaySpec> = object<KubernetesGatewaySpec>(
  {
    gatewayClassName: text(),
    listeners: list(listener),
    addresses: list(object<GatewayAddress>({ type: text(), value: text() })),
    infrastructure: object<NonNullable<KubernetesGatewaySpec['infrastructure']>>({
      labels,
      annotations: map(text()),
      parametersRef,
    }),
    allowedListeners: object<NonNullable<KubernetesGatewaySpec['allowedListeners']>>({ namespaces }),
    tls,
  },
  ['gatewayClassName', 'listeners'],
);

type Grant = ReferenceGrantSpec;
/** The shape of a ReferenceGrant. */
export const referenceGrantSpec: Shape<Grant> = object<Grant>(
  {
    from: list(
      object<Grant['from'][number]>({ group: text(), kind: text(), namespace: text() }, [
        'group',
        'kind',
        'namespace',
      ]),
    ),
    to: list(object<Grant['to'][number]>({ group: text(), kind: text(), name: text() }, ['group', 'kind'])),
  },
  ['from', 'to'],
);
