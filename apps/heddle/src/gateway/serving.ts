import type { TlsMaterial } from '@heddle/kernel';
import type { GatewayConfig } from '@heddle/proxy';

/** What an engine serves. */
export interface Serving {
  readonly config: GatewayConfig;
  /** Of the listener; undefined without TLS. */
  readonly tls: TlsMaterial | undefined;
}
