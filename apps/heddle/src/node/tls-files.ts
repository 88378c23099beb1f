import path from 'node:path';
import type { TlsMaterial } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import type { EndedTls, GatewayConfig, ServerConfig } from '@heddle/proxy';
import type { Materials } from '../gateway/serving.ts';
import { readTextFile } from './config-file.ts';

type ReadFile = (name: string, what: string) => string;

/**
 * The certificates that a configuration names. Names are relative to `folder`. Throws `FILE_UNREADABLE`, and what
 * `TlsStore` throws for what cannot be used.
 */
export function readTlsFiles({ tls, servers }: GatewayConfig, folder: string): Materials {
  const read: ReadFile = (name, what) => readTextFile(path.resolve(folder, name), what);
  return {
    listen: tls === undefined ? undefined : usable(ofListener(tls, read)),
    servers: Object.fromEntries(
      servers.flatMap(({ name, tls: each }) =>
        each.kind === 'end' ? [[name, usable(ofServer(each, read))]] : [],
      ),
    ),
  };
}

/** The folders of all files that a configuration names, to be watched. */
export function tlsFolders({ tls, servers }: GatewayConfig, folder: string): string[] {
  const files = [
    ...(tls?.certificates ?? []).flatMap(({ cert, key }) => [cert, key]),
    ...(tls?.clientAuthorities === undefined ? [] : [tls.clientAuthorities]),
    ...servers.flatMap(filesOf),
  ];
  return [...new Set(files.map((file) => path.dirname(path.resolve(folder, file))))];
}

/** Half of a pair may be written already: what does not go together is not taken. */
function usable(material: TlsMaterial): TlsMaterial {
  return new TlsStore(material).current;
}

function ofListener(
  { certificates, clientAuthorities }: NonNullable<GatewayConfig['tls']>,
  read: ReadFile,
): TlsMaterial {
  return {
    identities: certificates.map(({ cert, key }) => pair(cert, key, read)),
    ...(clientAuthorities !== undefined && { trust: read(clientAuthorities, 'list of authorities') }),
  };
}

function pair(cert: string, key: string, read: ReadFile): TlsMaterial['identities'][number] {
  return { certificates: read(cert, 'certificate'), privateKey: read(key, 'key of a certificate') };
}

function ofServer({ certificate, oldest, newest, ciphers }: EndedTls, read: ReadFile): TlsMaterial {
  const more = {
    ...(oldest !== undefined && { oldest }),
    ...(newest !== undefined && { newest }),
    ...(ciphers.length > 0 && { ciphers: ciphers.join(':') }),
  };
  if (certificate.kind === 'secret') {
    const { certificates, privateKey, trust } = certificate;
    return { identities: [{ certificates, privateKey }], ...(trust !== undefined && { trust }), ...more };
  }
  const { cert, key, clientAuthorities } = certificate;
  return {
    identities: [pair(cert, key, read)],
    ...(clientAuthorities !== undefined && { trust: read(clientAuthorities, 'list of authorities') }),
    ...more,
  };
}

function filesOf({ tls }: ServerConfig): string[] {
  if (tls.kind !== 'end' || tls.certificate.kind !== 'files') return [];
  const { cert, key, clientAuthorities } = tls.certificate;
  return [cert, key, ...(clientAuthorities === undefined ? [] : [clientAuthorities])];
}
