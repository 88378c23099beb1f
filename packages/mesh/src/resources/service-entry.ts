import {
  type Labels,
  type LabelSelector,
  labelSelector,
  labels,
  type Port,
  port,
  portNumber,
  texts,
} from './terms.ts';
import { list, map, object, oneOf, type Shape, text, whole } from './shape.ts';

/** networking.istio.io ServiceEntry: a service that the registry does not know by itself. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses?: readonly string[];
  readonly ports?: readonly Port[];
  readonly location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL';
  readonly resolution?: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';
  readonly endpoints?: readonly WorkloadEntrySpec[];
  /** Instances are the WorkloadEntries and Pods with these labels; not together with `endpoints`. */
  readonly workloadSelector?: LabelSelector;
  readonly exportTo?: readonly string[];
  readonly subjectAltNames?: readonly string[];
}

/** networking.istio.io WorkloadEntry, and an endpoint of a ServiceEntry: one instance outside of Kubernetes. */
export interface WorkloadEntrySpec {
  readonly address?: string;
  /** From the name of a port of the service to the port of this instance. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly labels?: Labels;
  readonly network?: string;
  readonly locality?: string;
  readonly weight?: number;
  readonly serviceAccount?: string;
}

/** The shape of a WorkloadEntry. */
export const workloadEntrySpec: Shape<WorkloadEntrySpec> = object<WorkloadEntrySpec>({
  address: text(),
  ports: map(portNumber),
  labels,
  network: text(),
  locality: text(),
  weight: whole(),
  serviceAccount: text(),
});

/** The shape of a ServiceEntry. */
export const serviceEntrySpec: Shape<ServiceEntrySpec> = object<ServiceEntrySpec>(
  {
    hosts: texts,
    addresses: texts,
    ports: list(port),
    location: oneOf('MESH_EXTERNAL', 'MESH_INTERNAL'),
    resolution: oneOf('NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'),
    endpoints: list(workloadEntrySpec),
    workloadSelector: labelSelector,
    exportTo: texts,
    subjectAltNames: texts,
  },
  ['hosts'],
);
