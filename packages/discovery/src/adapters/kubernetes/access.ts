import type { Address, TlsSource } from '@heddle/kernel';

/** Where the API server is, and who we are to it. */
export interface KubernetesAccess {
  readonly address: Address;
  /** Undefined: plain HTTP, as `kubectl proxy` speaks it. */
  readonly tls: TlsSource | undefined;
  /** What the server's certificate must be for, if not for the address's host. */
  readonly serverName?: string | undefined;
  /** The bearer token of now: asked before every request, so that a renewed one is used. Undefined: none. */
  readonly token: () => Promise<string | undefined>;
  /** The namespace of this process, used where nobody says another. */
  readonly namespace: string;
}
