/** Objects of one kind, in one namespace, chosen by labels. */
export interface Selection {
  /** Of the collection. */
  readonly path: string;
  readonly labels: string;
}

// Kubernetes' own label on a slice.
const serviceNameLabel = 'kubernetes.io/service-name';
/** On all that we make. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
/** Who manages what we make. */
export const manager = 'heddle';
/** On our leases: the service. */
export const leaseServiceLabel = 'heddle.dev/service';

/** Kubernetes' rule for the value of a label, and for the name of a Service. */
export const kubernetesNameRule =
  '1 to 63 lower-case letters, digits and "-", starting with a letter and not ending with "-" (the name of a Service)';

/** Whether a service can have this name in Kubernetes. */
export function isKubernetesName(service: string): boolean {
  return /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(service);
}

/** The collections of a namespace. */
export class Collections {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  get slices(): string {
    return `/apis/discovery.k8s.io/v1/namespaces/${this.#namespace}/endpointslices`;
  }

  get leases(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases`;
  }

  get services(): string {
    return `/api/v1/namespaces/${this.#namespace}/services`;
  }

  /** Slices that are not ours, of one service or of all. */
  foreignSlices(service?: string): Selection {
    const of = service === undefined ? serviceNameLabel : `${serviceNameLabel}=${service}`;
    return { path: this.slices, labels: `${of},${managedByLabel}!=${manager}` };
  }

  /** Our leases, of one service or of all. */
  leasesOf(service?: string): Selection {
    const labels = service === undefined ? leaseServiceLabel : `${leaseServiceLabel}=${service}`;
    return { path: this.leases, labels };
  }

  /** The labels of what we make for a service. */
  labelsOf(service: string): Readonly<Record<string, string>> {
    return { [serviceNameLabel]: service, [managedByLabel]: manager };
  }

  /** The service that a slice is of. */
  serviceOf(labels: Readonly<Record<string, string>>): string | undefined {
    return labels[serviceNameLabel];
  }
}
