import { type Labels, labels, portNumber } from './terms.ts';
import { either, flag, list, map, openObject, type Shape, text, whole } from './shape.ts';

// Of the objects of Kubernetes itself only what the mesh asks about is read; all else in them is another's.

/** A Service of Kubernetes. */
export interface KubernetesServiceSpec {
  readonly selector?: Labels;
  readonly ports?: readonly ServicePort[];
  /** ClusterIP where none is written. */
  readonly type?: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
}

/** A port of a Service. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  /** A port of the workload or the name of one; `port` where none is written. */
  readonly targetPort?: number | string;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/** A Deployment, StatefulSet, DaemonSet, ReplicaSet or Job: what its Pods look like. */
export interface WorkloadSpec {
  readonly template: PodTemplate;
}

/** What the Pods of a workload look like. */
export interface PodTemplate {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: PodSpec;
}

/** A Pod, and the inside of a Pod template. */
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly securityContext?: SecurityContext;
  /** It uses the network of its node. */
  readonly hostNetwork?: boolean;
}

/** Of a pod, or of one of its containers. */
export interface SecurityContext {
  readonly runAsUser?: number;
}

/** A container with the ports that it declares. */
export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
  readonly securityContext?: SecurityContext;
}

const securityContext = openObject<SecurityContext>({ runAsUser: whole(0, 4_294_967_295) });

const container = openObject<Container>({
  name: text(),
  image: text(),
  ports: list(
    openObject<NonNullable<Container['ports']>[number]>(
      { name: text(), containerPort: portNumber, protocol: text() },
      ['containerPort'],
    ),
  ),
  securityContext,
});

/** The shape of a Pod, as far as it is read. */
export const podSpec: Shape<PodSpec> = openObject<PodSpec>({
  serviceAccountName: text(),
  containers: list(container),
  initContainers: list(container),
  securityContext,
  hostNetwork: flag,
});

/** The shape of a workload, as far as it is read. */
export const workloadSpec: Shape<WorkloadSpec> = openObject<WorkloadSpec>(
  {
    template: openObject<PodTemplate>({
      metadata: openObject<NonNullable<PodTemplate['metadata']>>({ labels, annotations: map(text()) }),
      spec: podSpec,
    }),
  },
  ['template'],
);

/** The shape of a Service, as far as it is read. */
export const kubernetesServiceSpec: Shape<KubernetesServiceSpec> = openObject<KubernetesServiceSpec>({
  selector: labels,
  ports: list(
    openObject<ServicePort>(
      {
        name: text(),
        port: portNumber,
        targetPort: either(whole(1, 65_535), text()),
        protocol: text(),
        appProtocol: text(),
      },
      ['port'],
    ),
  ),
  type: text(),
  clusterIP: text(),
  externalName: text(),
});

/** A Secret of Kubernetes: the certificates of gateways. */
export interface SecretSpec {
  readonly type?: string;
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

/** The shape of a Secret, which has no `spec`. */
export const secretSpec: Shape<SecretSpec> = openObject<SecretSpec>({
  type: text(),
  data: map(text()),
  stringData: map(text()),
});

/** An object whose name and labels alone are asked about. */
export type NamedOnlySpec = Readonly<Record<string, never>>;
/** The shape of an object of which only the metadata is read. */
export const namedOnlySpec: Shape<NamedOnlySpec> = openObject<NamedOnlySpec>({});
