/** Where something runs. Empty parts are unknown. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** One instance of a cluster. */
export interface MeshEndpoint {
  readonly address: string;
  readonly port: number;
  /** Relative to the others of its locality, 1 or more. */
  readonly weight: number;
  readonly health: 'healthy' | 'draining' | 'unhealthy' | 'unknown';
  readonly locality: Locality;
  /** The SPIFFE ID that it proves. Empty: it speaks no mesh TLS. */
  readonly identity: string;
}

/** The instances of a cluster. Never changed in place: a change of one is another object for its cluster, and only for that. */
export interface Assignment {
  readonly cluster: string;
  readonly endpoints: readonly MeshEndpoint[];
}

/** `region/zone/subzone` without what is unknown at its end. */
export function localityText({ region, zone, subZone }: Locality): string {
  return [region, zone, subZone].join('/').replace(/\/+$/, '');
}
