// The certificate that all who speak TLS show.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TestAuthority } from '@heddle/kernel/testing';

/** Where it lies, in PEM. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file. */
  readonly both: string;
}

/** Makes one for 127.0.0.1, in a new folder. */
export function makeIdentity(): IdentityFiles {
  const { certificates, privateKey } = new TestAuthority('bench', Date.now()).issue({
    addresses: ['127.0.0.1'],
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-bench-tls-'));
  const file = (name: string, content: string): string => {
    const at = path.join(folder, name);
    writeFileSync(at, content);
    return at;
  };
  return {
    certificate: file('certificate.pem', certificates),
    key: file('key.pem', privateKey),
    both: file('both.pem', certificates + privateKey),
  };
}

/** Reads it: certificate, then key. */
export function identityFrom(files: readonly string[]): { certificates: string; privateKey: string } {
  const [certificates = '', privateKey = ''] = files.map((file) => readFileSync(file, 'utf8'));
  return { certificates, privateKey };
}
