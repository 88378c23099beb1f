import type { Part, Runtime, TlsMaterial } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import { readTextFile } from './config-file.ts';
import { watchDocuments } from './config-documents.ts';

/** The files of a server's certificate, in PEM. */
export interface CertificateFiles {
  readonly certificates: string;
  readonly privateKey: string;
  /** Of the authorities whose clients are believed, as text; undefined: none. */
  readonly trust: () => string | undefined;
}

/** A certificate from files, for handshakes, and the part that reads it again when the files change. */
export interface WatchedCertificate {
  readonly source: TlsStore;
  readonly part: Part;
}

/**
 * Reads a certificate and its key, and goes on reading them. A certificate and key that do not fit are files that are being
 * written: those of before are used on. Throws `FILE_UNREADABLE`, and as `TlsStore` does.
 */
export function watchedCertificate(files: CertificateFiles, runtime: Runtime): WatchedCertificate {
  const source = new TlsStore(materialOf(files));
  const read = (): void => {
    try {
      const now = materialOf(files);
      if (JSON.stringify(now) === JSON.stringify(source.current)) return;
      source.update(now);
      runtime.log('info', 'the certificate has been renewed', {});
    } catch (thrown) {
      runtime.log('warn', 'the certificate cannot be renewed; the one of before is used on', {
        message: thrown instanceof Error ? thrown.message : String(thrown),
      });
    }
  };
  let end: () => void = () => {};
  const part: Part = {
    name: 'certificate',
    start: async () => void (end = watchDocuments(files.certificates, runtime, read)),
    stop: async () => end(),
  };
  return { source, part };
}

function materialOf({ certificates, privateKey, trust }: CertificateFiles): TlsMaterial {
  const believed = trust();
  return {
    identities: [
      {
        certificates: readTextFile(certificates, 'certificate'),
        privateKey: readTextFile(privateKey, 'private key'),
      },
    ],
    ...(believed !== undefined && { trust: believed }),
  };
}
