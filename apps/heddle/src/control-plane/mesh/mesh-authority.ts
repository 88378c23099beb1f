import type { Runtime } from '@heddle/kernel';
import { type AuthorityMaterial, makeRoot } from '@heddle/security/identity';

const file = 'mesh/authority.json';
const tenYearsMs = 10 * 365 * 86_400_000;

/**
 * The authority that is kept in the data folder; a root of our own is made there the first time. To plug in an
 * intermediate of another authority, write it there: `{ certificates, privateKey, root }`, each in PEM.
 */
export async function meshAuthorityIn(
  { disk, clock, random }: Runtime,
  trustDomain: string,
): Promise<AuthorityMaterial> {
  const known = await disk.read(file);
  if (known !== undefined) return JSON.parse(Buffer.from(known).toString()) as AuthorityMaterial;
  const made = makeRoot(trustDomain, clock.wallMs(), tenYearsMs, random.bytes(16));
  await disk.replace(file, Buffer.from(JSON.stringify(made)));
  return made;
}
