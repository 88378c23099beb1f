import { Call, type Runtime } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
import { stringify } from 'yaml';
import { asked, type MeshAccess } from './api-mesh-ask.ts';
import type { MeshFiles } from './api-mesh-store.ts';
import type { MeshPlaceKind } from './mesh/mesh-source.ts';

interface StoredRules {
  readonly revision?: string;
  readonly files: Readonly<Record<string, string>>;
}

/** What rules of a mesh that are no files of this machine are reached by. */
export interface ServedRules {
  readonly runtime: Runtime;
  readonly access: MeshAccess;
  readonly place: string;
  readonly kind: MeshPlaceKind;
}

/**
 * Rules that are no files of this machine, as the mesh's own API shows them: those of a store are changed by it, those of
 * a repository or a cluster there.
 */
export function servedFiles({ runtime, access, place, kind }: ServedRules): MeshFiles {
  let revision: string | undefined;
  const ask = async <T>(method: 'GET' | 'POST', content?: object): Promise<T> => {
    const call = Call.root(runtime);
    try {
      return await asked<T>(access, method, '/v1/mesh/rules', content, call);
    } finally {
      call.end();
    }
  };
  const read = async (): Promise<readonly ResourceFile[]> => {
    const stored = await ask<StoredRules>('GET');
    ({ revision } = stored);
    const files = Object.entries(stored.files).map(([file, text]) => ({ file, text }));
    return kind === 'kubernetes' ? files.map(asApplied) : files;
  };
  const nameOf = kind === 'kubernetes' ? objectFile : (file: string): string => file;
  const shown: MeshFiles = { place, kind, nameOf, read };
  if (kind !== 'store') return shown;
  return {
    ...shown,
    change: async ({ set, remove }, { who, why }) => {
      const change = { set: Object.fromEntries(set), remove, author: who, comment: why };
      await ask('POST', { ...change, ...(revision !== undefined && { expected: revision }) });
    },
  };
}

// What a server has put to an object, and what kubectl has noted there for itself: nobody writes it, and it differs each time.
const servers = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]);
const noted = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object of a cluster as the file that somebody would apply. */
function asApplied({ file, text }: ResourceFile): ResourceFile {
  const { metadata, ...others } = JSON.parse(text) as {
    metadata: Readonly<Record<string, unknown>>;
    apiVersion?: string;
    kind?: string;
  };
  const { annotations, ...named } = Object.fromEntries(
    Object.entries(metadata).filter(([name]) => !servers.has(name)),
  );
  const own = Object.entries(annotations ?? {}).filter(([name]) => name !== noted);
  const { apiVersion, kind, ...parts } = others;
  const object = {
    apiVersion,
    kind,
    metadata: { ...named, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) },
    ...parts,
  };
  return { file: objectFile(file), text: stringify(object) };
}

/** Objects are named by kind, namespace and name; what can be tried has the name of a file. */
function objectFile(name: string): string {
  return name.endsWith('.yaml') ? name : `${name}.yaml`;
}
