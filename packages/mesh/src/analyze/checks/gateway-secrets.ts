import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Path, SecretSpec } from '../../resources/index.ts';
import { certificateIn } from '../../translate/index.ts';
import type { Check } from '../check.ts';

/** The secrets that Gateways name: there, and with a certificate and its key. */
export const gatewaySecrets: Check = (inventory, tell) => {
  const secrets = inventory.of('Secret');
  for (const gateway of inventory.of('Gateway')) {
    const [workload] = inventory.selected(gateway.spec.selector);
    // Where nothing is selected, nobody knows in which namespace the secret has to be.
    if (workload === undefined) continue;
    for (const [index, { tls }] of (gateway.spec.servers ?? []).entries()) {
      const name = tls?.credentialName ?? '';
      // Others than Kubernetes keep it.
      if (name === '' || name.includes('://')) continue;
      const { namespace } = workload;
      const path: Path = ['spec', 'servers', index, 'tls', 'credentialName'];
      const found = secrets.find(
        ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
      );
      if (found === undefined) {
        tell('GATEWAY_SECRET_NOT_FOUND', gateway, path, `there is no Secret ${namespace}/${name}`);
        continue;
      }
      const problem = problemOf(found.spec);
      if (problem !== undefined)
        tell('GATEWAY_SECRET_INVALID', gateway, path, `the Secret ${namespace}/${name} ${problem}`);
    }
  }
};

/** What is wrong with it. Never what is in it. */
function problemOf(spec: SecretSpec): string | undefined {
  const { certificates, privateKey } = certificateIn(spec);
  if (certificates === undefined) return 'has no certificate (tls.crt)';
  if (privateKey === undefined) return 'has no key (tls.key)';
  const certificate = read(() => new X509Certificate(certificates));
  if (certificate === undefined) return 'has a certificate that cannot be read';
  const key = read(() => createPrivateKey(privateKey));
  if (key === undefined) return 'has a key that cannot be read';
  return certificate.checkPrivateKey(key) ? undefined : 'has a key that is not that of its certificate';
}

function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
