import type { Address } from '@heddle/kernel';

/** Which proxy is put beside an application. */
export type ProxyKind = 'heddle' | 'envoy';

/** How sidecars are made, where an object says nothing else. */
export interface InjectSettings {
  readonly proxy: ProxyKind;
  readonly image: string;
  /** Where sidecars find the control plane. */
  readonly controlPlane: Address;
  /**
   * The ConfigMap of the pod's own namespace that has the roots (PEM) by which the control plane is verified, which then
   * speaks TLS. Undefined: plaintext.
   */
  readonly controlPlaneRoots?: { readonly name: string; readonly key: string } | undefined;
  /**
   * The secret of the pod's own namespace that has the bootstrap token of the pod's service account; `{serviceAccount}` in
   * the name stands for that.
   */
  readonly tokenSecret: { readonly name: string; readonly key: string };
  /** Instead of the secret: sidecars show the tokens of their service accounts, which the cluster renews. Ours only. */
  readonly accountTokens?: boolean;
  /** The address of the cluster's own DNS. Undefined: the names of services are not led to sidecars. */
  readonly dnsServer: string | undefined;
  /** True: what is not asked about gets a sidecar. False: only what a label or annotation asks for. */
  readonly byDefault: boolean;
  /**
   * True: an init container that stays (`restartPolicy: Always`, Kubernetes 1.29 and newer), which starts before the
   * application and ends after it. False: a container beside the application's.
   */
  readonly native: boolean;
  readonly resources: SidecarResources;
}

/** What a sidecar may use, as quantities of Kubernetes. Undefined: not said. */
export interface SidecarResources {
  readonly cpuRequest?: string | undefined;
  readonly cpuLimit?: string | undefined;
  readonly memoryRequest?: string | undefined;
  readonly memoryLimit?: string | undefined;
}

/** What those take who say nothing: Istio's own requests, and a limit of memory. */
export const defaultResources: SidecarResources = {
  cpuRequest: '100m',
  memoryRequest: '128Mi',
  memoryLimit: '1Gi',
};

/** The image of a proxy where none is named. */
export const defaultImages: Readonly<Record<ProxyKind, string>> = {
  heddle: 'heddle:0.1.0',
  envoy: 'docker.io/envoyproxy/envoy:distroless-v1.36.2',
};

/** How the container of a sidecar is called; that of Istio's own is `istio-proxy`. */
export const sidecarName = 'heddle-sidecar';
/** Where a sidecar says that it is ready, and answers the probes of its application. */
export const healthPort = 15_021;
/** Where the roots of the control plane lie in the container of a sidecar. */
export const controlPlaneRootsFile = '/etc/heddle/roots.pem';
