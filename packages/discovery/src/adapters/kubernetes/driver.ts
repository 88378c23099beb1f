import type { DriverWorld, RegistryDriver } from '../../open/driver.ts';
import { badUrl, type RegistryUrl } from '../../open/registry-url.ts';
import type { KubernetesAccess } from './access.ts';
import { kubernetesRegistry } from './kubernetes-registry.ts';
import { inCluster } from './node/in-cluster.ts';
import { kubeconfigFile } from './node/kubeconfig-file.ts';

/**
 * `k8s:` in a pod, or where `KUBECONFIG` is set; `k8s:/namespace?kubeconfig=/path&context=name`; or with the parts said
 * one by one: `k8s+tls://host:6443/namespace?ca-file=/path` with a secret that is the token.
 */
export const driver: RegistryDriver = {
  parameters: {
    kubeconfig: 'a kubeconfig file',
    context: 'which of its contexts',
    port: 'the named port that is called',
  },
  open: async (url, world) => {
    const { path, parameters, text } = url;
    if (path.includes('/')) throw badUrl(text, [`expected a namespace, found "${path}"`]);
    const access = await accessOf(url, world);
    const port = parameters.get('port');
    return kubernetesRegistry({
      runtime: world.runtime,
      access,
      ...(path !== '' && { namespace: path }),
      ...(port !== undefined && { port }),
      ...(world.ttlMs !== undefined && { ttlMs: world.ttlMs }),
    });
  },
};

/** How the API server is reached that a URL means. Rejects with `BAD_REGISTRY_URL`, or as the kubeconfig's reading does. */
export async function accessOf(url: RegistryUrl, world: DriverWorld): Promise<KubernetesAccess> {
  const { addresses, parameters, text } = url;
  const named = parameters.get('kubeconfig');
  const context = parameters.get('context');
  const [address, ...more] = addresses;
  if (address !== undefined) {
    const problems: string[] = [];
    if (more.length > 0) problems.push('expected one API server (a cluster has one address), found several');
    if (named !== undefined || context !== undefined)
      problems.push('expected an address or a kubeconfig, found both');
    if (problems.length > 0) throw badUrl(text, problems);
    const { tls, secret } = world;
    return {
      address,
      tls: tls?.source,
      serverName: tls?.serverName,
      token: () => Promise.resolve(secret),
      namespace: 'default',
    };
  }
  const file = named ?? world.variable('KUBECONFIG');
  if (file !== undefined) return kubeconfigFile(file, context);
  return inCluster({ runtime: world.runtime, variable: world.variable });
}
