import { type ConfigStore, open, type Place, readKeyRing, seal, type SealedSecret } from '@heddle/config';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { type AuthorityMaterial, makeRoot } from '@heddle/security/identity';

const place: Place = { environment: 'mesh', namespace: 'heddle', group: 'authority' };
const where = 'mesh/heddle/authority';
const tenYearsMs = 10 * 365 * 86_400_000;

/**
 * The authority of control planes that share a store: whoever comes first makes it and keeps it there, sealed with
 * `HEDDLE_MESH_KEYS` (lines `name:key`), which all of them have and the store has not. Rejects without those keys.
 */
export async function sharedAuthority(
  store: ConfigStore,
  { clock, random }: Runtime,
  trustDomain: string,
  keys: string | undefined,
): Promise<AuthorityMaterial> {
  if (keys === undefined) throw noKeys();
  const ring = readKeyRing(keys);
  for (let tried = 1; ; tried++) {
    const head = await store.head(place);
    const sealed = head?.values['material'];
    if (sealed !== undefined)
      return JSON.parse(open(sealed as SealedSecret, where, ring)) as AuthorityMaterial;
    const made = makeRoot(trustDomain, clock.wallMs(), tenYearsMs, random.bytes(16));
    try {
      await store.append({
        place,
        version: (head?.version ?? 0) + 1,
        author: 'control plane',
        comment: 'the authority of the mesh',
        atMs: clock.wallMs(),
        action: 'publish',
        values: { material: seal(JSON.stringify(made), where, ring, random) },
      });
    } catch (thrown) {
      // Another control plane was first: its authority is the mesh's.
      if (HeddleError.from(thrown).reason !== 'VERSION_CONFLICT' || tried > 3) throw thrown;
    }
  }
}

function noKeys(): HeddleError {
  const message =
    'HEDDLE_MESH_KEYS is not set. Control planes that share a store keep the mesh’s authority in it, sealed with keys that ' +
    'the store does not have: a line such as one:$(openssl rand -hex 32), the same for all of them';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_MESH_KEYS', message, sent: false });
}
