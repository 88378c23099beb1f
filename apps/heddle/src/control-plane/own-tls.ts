import type { Part, Runtime } from '@heddle/kernel';
import { type CertificateService, KeptIdentity } from '@heddle/security/identity';
import type { HttpServerOptions } from '@heddle/rpc';
import { watchedCertificate } from '../node/watched-certificate.ts';

/** By what a control plane proves who it is: files in PEM, or a certificate of its own authority for the names at which it is called. */
export type TlsWish =
  | { readonly kind: 'files'; readonly certificates: string; readonly privateKey: string }
  | { readonly kind: 'own'; readonly hosts: readonly [string, ...string[]] };

/** What its server speaks TLS with, and what keeps the certificate good. */
export interface OwnTls {
  readonly tls: NonNullable<HttpServerOptions['tls']>;
  readonly part: Part;
}

/** Where the roots are written that clients are to believe, in the data folder. */
export const rootsFile = 'mesh/roots.pem';
const dayMs = 86_400_000;

/**
 * TLS of the control plane's own port. Clients may show a certificate of the mesh, which then says who they are; nobody
 * has to. The roots of its authority are written to `rootsFile` with each certificate. Rejects as reading files does.
 */
export async function ownTls(
  wish: TlsWish,
  runtime: Runtime,
  certificates: CertificateService,
): Promise<OwnTls> {
  const writeRoots = (): Promise<void> =>
    runtime.disk.replace(rootsFile, new TextEncoder().encode(certificates.trust));
  await writeRoots();
  if (wish.kind === 'files') {
    const { source, part } = watchedCertificate({ ...wish, trust: () => certificates.trust }, runtime);
    return { tls: { source, clients: 'request' }, part };
  }
  const source = new KeptIdentity(runtime, async (request) =>
    certificates.issueServer(wish.hosts, request, dayMs),
  );
  source.onRenewed(() => {
    writeRoots().catch((thrown: unknown) =>
      runtime.log('warn', 'the roots cannot be written', { message: String(thrown) }),
    );
  });
  const part: Part = {
    name: 'certificate',
    start: () => source.start(),
    stop: async () => source.close(),
  };
  return { tls: { source, clients: 'request' }, part };
}
