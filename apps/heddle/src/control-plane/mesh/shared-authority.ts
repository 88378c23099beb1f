import {
  type ConfigStore,
  type KeyRing,
  open,
  type Place,
  readKeyRing,
  seal,
  type SealedSecret,
} from '@heddle/config';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { type AuthorityMaterial, makeRoot } from '@heddle/security/identity';

const place: Place = { environment: 'mesh', namespace: 'heddle', group: 'authority' };
const where = 'mesh/heddle/authority';
const tenYearsMs = 10 * 365 * 86_400_000;

/** A copy, sealed as in the store: for a start while that is away. */
const copyFile = 'mesh/shared-authority.json';

/** Whose authority it is, and what opens it. */
export interface SharedAuthorityOptions {
  readonly store: ConfigStore;
  readonly runtime: Runtime;
  readonly trustDomain: string;
  /** Lines `name:key`, the same for all control planes, and not in the store. */
  readonly keys: string | undefined;
}

/**
 * The authority of control planes that share a store: whoever comes first makes it and keeps it there, sealed with
 * `HEDDLE_MESH_KEYS`. While the store is away, that of the last time. Rejects with `failed_precondition` /
 * `NO_MESH_KEYS` without keys, or as the store does.
 */
export async function sharedAuthority(options: SharedAuthorityOptions): Promise<AuthorityMaterial> {
  if (options.keys === undefined) throw noKeys();
  const ring = readKeyRing(options.keys);
  const sealed = await sealedMaterial(options, ring);
  return JSON.parse(open(sealed, where, ring)) as AuthorityMaterial;
}

async function sealedMaterial(options: SharedAuthorityOptions, ring: KeyRing): Promise<SealedSecret> {
  const { disk, log } = options.runtime;
  try {
    const sealed = await inStore(options, ring);
    await disk.replace(copyFile, Buffer.from(JSON.stringify(sealed)));
    return sealed;
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const copy = await disk.read(copyFile);
    if (copy === undefined || (error.code !== 'unavailable' && error.code !== 'deadline_exceeded'))
      throw error;
    log('warn', 'the store of the mesh cannot be asked; its authority is that of the last time', {
      message: error.message,
    });
    return JSON.parse(Buffer.from(copy).toString()) as SealedSecret;
  }
}

async function inStore(
  { store, runtime, trustDomain }: SharedAuthorityOptions,
  ring: KeyRing,
): Promise<SealedSecret> {
  const { clock, random } = runtime;
  for (let tried = 1; ; tried++) {
    const head = await store.head(place);
    const known = head?.values['material'];
    if (known !== undefined) return known as SealedSecret;
    const made = makeRoot(trustDomain, clock.wallMs(), tenYearsMs, random.bytes(16));
    const material = seal(JSON.stringify(made), where, ring, random);
    try {
      await store.append({
        place,
        version: (head?.version ?? 0) + 1,
        author: 'control plane',
        comment: 'the authority of the mesh',
        atMs: clock.wallMs(),
        action: 'publish',
        values: { material },
      });
      return material;
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
