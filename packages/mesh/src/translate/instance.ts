import type { MeshEndpoint } from '../model/index.ts';

/** One running instance, as a registry or an API server knows it: a workload at an address. */
export interface MeshInstance {
  readonly namespace: string;
  /** Of the workload that it is an instance of. */
  readonly workload: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  /** Ports by name, for services that target one by its name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Of one that a registry knows: it serves this service at one port of its own, whatever port callers name. */
  readonly registered?: {
    readonly service: string;
    readonly protocol: 'http' | 'grpc' | 'tcp';
    /** What callers name where no Service says another. */
    readonly port: number;
    /** Where the instance listens. */
    readonly at: number;
  };
  readonly serviceAccount: string;
  readonly locality: MeshEndpoint['locality'];
  readonly weight: number;
  readonly health: MeshEndpoint['health'];
  /** It speaks the mesh's TLS: it has a sidecar or is a guarded service. */
  readonly meshTls: boolean;
}

/** True if an instance carries all labels of a selector; one without labels selects nothing. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}
