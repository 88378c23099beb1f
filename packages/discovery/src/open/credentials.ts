import type { DriverWorld } from './driver.ts';
import { badUrl, type RegistryUrl } from './registry-url.ts';

/** User and password for a backend that wants both or neither. Throws `BAD_REGISTRY_URL` for one without the other. */
export function credentialsOf(
  { text }: RegistryUrl,
  { user, secret }: DriverWorld,
): { readonly user: string; readonly password: string } | undefined {
  if (user === undefined) return undefined;
  if (secret !== undefined) return { user, password: secret };
  throw badUrl(text, [`user: expected the password of "${user}" as secret, found none`]);
}
