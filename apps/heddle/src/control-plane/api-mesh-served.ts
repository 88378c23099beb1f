import { Call, type Runtime } from '@heddle/kernel';
import type { ResourceFile } from '@heddle/mesh/resources';
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
    return Object.entries(stored.files).map(([file, text]) => ({ file, text }));
  };
  const shown: MeshFiles = { place, kind, nameOf: (file) => file, read };
  if (kind !== 'store') return shown;
  return {
    ...shown,
    change: async ({ set, remove }, { who, why }) => {
      const change = { set: Object.fromEntries(set), remove, author: who, comment: why };
      await ask('POST', { ...change, ...(revision !== undefined && { expected: revision }) });
    },
  };
}
