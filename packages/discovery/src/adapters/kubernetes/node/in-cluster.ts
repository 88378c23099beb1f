import { readFile } from 'node:fs/promises';
import { HeddleError, type Runtime } from '@heddle/kernel';
import type { KubernetesAccess } from '../access.ts';

/** Where a pod finds what it needs. */
export interface InClusterOptions {
  readonly runtime: Runtime;
  /** Of the mounted service account. Default: where Kubernetes mounts it. */
  readonly folder?: string;
  /** Variables of the environment. */
  readonly variable: (name: string) => string | undefined;
}

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount';
// The kubelet renews the file long before the token in it ends.
const rereadMs = 60_000;

/**
 * The access of a pod: its service account's token (read again every minute), the cluster's authority, its namespace.
 * Rejects with `failed_precondition` / `NOT_IN_CLUSTER`.
 */
export async function inCluster(options: InClusterOptions): Promise<KubernetesAccess> {
  const { runtime, folder = mounted, variable } = options;
  const [host, port] = [variable('KUBERNETES_SERVICE_HOST'), variable('KUBERNETES_SERVICE_PORT')];
  if (host === undefined || port === undefined) {
    throw notInCluster('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  }
  const read = async (name: string): Promise<string> => {
    try {
      return (await readFile(`${folder}/${name}`, 'utf8')).trim();
    } catch (thrown) {
      throw notInCluster(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  const [trust, namespace] = await Promise.all([read('ca.crt'), read('namespace')]);
  const { clock } = runtime;
  let token = Promise.resolve(await read('token'));
  let readAtMs = clock.nowMs();
  return {
    address: { host, port: Number(port) },
    tls: { current: { identities: [], trust } },
    namespace,
    token: () => {
      if (clock.nowMs() - readAtMs < rereadMs) return token;
      readAtMs = clock.nowMs();
      const before = token;
      // While the file is being replaced the old one still is good.
      token = read('token').catch(() => before);
      return token;
    },
  };
}

function notInCluster(why: string): HeddleError {
  const message = `this process does not look like one in a pod with a service account: ${why}; name a kubeconfig instead`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NOT_IN_CLUSTER', message, sent: false });
}
