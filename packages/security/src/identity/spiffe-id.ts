import { HeddleError } from '@heddle/kernel';

/** A workload's name in the mesh. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

const name = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const written = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/;

/** `spiffe://cluster.local/ns/shop/sa/order`. */
export function spiffeUri({ trustDomain, namespace, serviceAccount }: SpiffeId): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** Reads one. Throws `invalid_argument` / `BAD_SPIFFE_ID` for anything that is not written exactly so. */
export function readSpiffeId(uri: string): SpiffeId {
  const [, trustDomain = '', namespace = '', serviceAccount = ''] = written.exec(uri) ?? [];
  if ([trustDomain, namespace, serviceAccount].every((part) => name.test(part)))
    return { trustDomain, namespace, serviceAccount };
  const message = `SPIFFE ID: expected spiffe://<trust domain>/ns/<namespace>/sa/<service account>, found ${JSON.stringify(uri.slice(0, 200))}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SPIFFE_ID', message, sent: false });
}
