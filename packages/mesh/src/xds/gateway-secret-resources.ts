import type { GatewaySecret } from '../model/listener.ts';
import { noResources, type Resources } from './ads/resource.ts';
import { authoritiesOf, certificateSecret, rootsSecret } from './translate/tls.ts';

const made = new WeakMap<readonly GatewaySecret[], Resources>();

/** The secrets of a gateway as proxies get them; the same object as long as the secrets are the same. */
export function gatewaySecretResources(secrets: readonly GatewaySecret[] | undefined): Resources {
  if (secrets === undefined) return noResources;
  let resources = made.get(secrets);
  if (resources === undefined) {
    const all = secrets.flatMap(({ name, certificates, privateKey, ca }) => [
      certificateSecret(name, certificates, privateKey),
      ...(ca === undefined ? [] : [rootsSecret(authoritiesOf(name), ca)]),
    ]);
    resources = new Map(all.map((each) => [each.name, each]));
    made.set(secrets, resources);
  }
  return resources;
}
