/** The two that xDS is made for: Envoy, and gRPC's own clients and servers. */
export type Plane = 'envoy' | 'grpc';

/** What a plane cannot do, and so does not get: shown, never lost in silence. */
export interface Inexpressible {
  readonly plane: Plane;
  /** Where it was written. */
  readonly origin: string;
  /** `rewrite`, `mirror`, `balance least_request` … */
  readonly what: string;
  readonly instead: string;
}

/** Takes what cannot be said. */
export type Report = (what: Inexpressible) => void;
