import type { Runtime } from '@heddle/kernel';
import { readTextFile } from '../../node/config-file.ts';
import { kubernetesUrl, meshKubernetes } from './mesh-kubernetes.ts';
import { meshFolder } from './mesh-folder.ts';
import { meshGit } from './mesh-git.ts';
import { meshStore, storeUrl } from './mesh-store.ts';
import type { RuleSource } from './rule-source.ts';

/**
 * What `--mesh` names: a file or a folder, `git:` and a repository, `k8s:` and an API server, or the URL of a store of
 * the config centre. `secret`: the token or password of a store or server.
 */
export async function meshSource(
  place: string,
  runtime: Runtime,
  secret: string | undefined,
): Promise<RuleSource> {
  if (place.startsWith('git:')) return meshGit(place, runtime);
  if (kubernetesUrl.test(place))
    return meshKubernetes(place, {
      runtime,
      secret,
      readText: async (file) => readTextFile(file, 'file that --mesh names'),
    });
  if (storeUrl.test(place)) return meshStore(place, { runtime, secret });
  return meshFolder(place, runtime);
}
