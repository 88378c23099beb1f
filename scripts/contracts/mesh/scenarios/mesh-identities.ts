import { ChannelCredentials } from '@grpc/grpc-js';
import { nodeRuntime } from '@heddle/kernel/node';
import { CertificateService, makeRequest, makeRoot } from '@heddle/security/identity';

/** A certificate with its key and what is to be believed, in PEM. */
export interface Shown {
  readonly certificates: string;
  readonly privateKey: string;
  readonly trust: string;
}

/** An authority of its own for a mesh of that trust domain. */
export function meshAuthority(trustDomain = 'cluster.local', lifeMs = 3_600_000): CertificateService {
  const runtime = nodeRuntime({ name: 'authority', logLevel: 'error' });
  const authority = makeRoot(trustDomain, Date.now(), 86_400_000, runtime.random.bytes(16));
  return new CertificateService({ runtime, trustDomain, authority, lifeMs });
}

/** What a service account of the namespace `shop` shows. */
export function shown(
  service: CertificateService,
  serviceAccount: string,
  trustDomain = 'cluster.local',
): Shown {
  const { request, privateKey } = makeRequest();
  const { certificates, trust } = service.issue({ trustDomain, namespace: 'shop', serviceAccount }, request);
  return { certificates, privateKey, trust };
}

/** As grpc-js takes it. SPIFFE IDs are no host names: the chain alone is looked at. */
export function credentialsOf({ certificates, privateKey, trust }: Shown): ChannelCredentials {
  return ChannelCredentials.createSsl(
    Buffer.from(trust),
    Buffer.from(privateKey),
    Buffer.from(certificates),
    {
      checkServerIdentity: () => undefined,
    },
  );
}
