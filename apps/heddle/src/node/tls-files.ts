import path from 'node:path';
import type { TlsMaterial } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import type { GatewayConfig } from '@heddle/proxy';
import { readTextFile } from './config-file.ts';

/**
 * The certificates that a configuration names; undefined without TLS. Names are relative to `folder`. Throws
 * `FILE_UNREADABLE`, and what `TlsStore` throws for what cannot be used.
 */
export function readTlsFiles({ tls }: GatewayConfig, folder: string): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const read = (name: string, what: string): string => readTextFile(path.resolve(folder, name), what);
  const { clientAuthorities } = tls;
  const material: TlsMaterial = {
    identities: tls.certificates.map(({ cert, key }) => ({
      certificates: read(cert, 'certificate'),
      privateKey: read(key, 'key of a certificate'),
    })),
    ...(clientAuthorities !== undefined && { trust: read(clientAuthorities, 'list of authorities') }),
  };
  // Half of a pair may be written already: what does not go together is not taken.
  return new TlsStore(material).current;
}

/** The folders of all files that a configuration names, to be watched. */
export function tlsFolders({ tls }: GatewayConfig, folder: string): string[] {
  const files = (tls?.certificates ?? []).flatMap(({ cert, key }) => [cert, key]);
  return [...new Set(files.map((file) => path.dirname(path.resolve(folder, file))))];
}
