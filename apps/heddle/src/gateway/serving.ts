import type { TlsMaterial } from '@heddle/kernel';
import type { GatewayConfig } from '@heddle/proxy';

/** What an engine shows to its clients, and whom it believes of them. */
export interface Materials {
  /** Of `listen`; undefined without TLS. */
  readonly listen: TlsMaterial | undefined;
  /** Of `servers`, by their names. */
  readonly servers: Readonly<Record<string, TlsMaterial>>;
}

/** What an engine serves. */
export interface Serving {
  readonly config: GatewayConfig;
  readonly tls: Materials;
}
