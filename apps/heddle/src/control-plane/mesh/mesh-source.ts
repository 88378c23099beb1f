import type { Runtime } from '@heddle/kernel';
import { readTextFile } from '../../node/config-file.ts';
import { kubernetesUrl, meshKubernetes } from './mesh-kubernetes.ts';
import { meshFolder } from './mesh-folder.ts';
import { meshGit } from './mesh-git.ts';
import { meshStore, storeUrl } from './mesh-store.ts';
import type { RuleSource } from './rule-source.ts';

/** Of what kind the place is that `--mesh` names. */
export type MeshPlaceKind = 'files' | 'git' | 'kubernetes' | 'store';

/** By how it begins. */
export function kindOfMeshPlace(place: string): MeshPlaceKind {
  if (place.startsWith('git:')) return 'git';
  if (kubernetesUrl.test(place)) return 'kubernetes';
  return storeUrl.test(place) ? 'store' : 'files';
}

/**
 * What `--mesh` names: a file or a folder, `git:` and a repository, `k8s:` and an API server, or the URL of a store of
 * the config centre. `secret`: the token or password of a store or server.
 */
export async function meshSource(
  place: string,
  runtime: Runtime,
  secret: string | undefined,
): Promise<RuleSource> {
  switch (kindOfMeshPlace(place)) {
    case 'git':
      return meshGit(place, runtime);
    case 'kubernetes':
      return meshKubernetes(place, {
        runtime,
        secret,
        readText: async (file) => readTextFile(file, 'file that --mesh names'),
      });
    case 'store':
      return meshStore(place, { runtime, secret });
    case 'files':
      return meshFolder(place, runtime);
  }
}
