import { KubernetesClient, kubernetesAccess, parseRegistryUrl, worldOf } from '@heddle/discovery/clients';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { accountTokenAudience } from '@heddle/mesh/plane';
import type { ResourceFile } from '@heddle/mesh/resources';
import type { MeshInstance } from '@heddle/mesh/translate';
import { type Collection, FollowedCollection, type KubernetesJson } from './kubernetes-collection.ts';
import { podInstance } from './pod-instance.ts';
import type { InstanceChanges } from './registry-instances.ts';
import type { RuleSource, RuleVerdicts, SourceAccount } from './rule-source.ts';

/** The URLs that mean an API server. */
export const kubernetesUrl: RegExp = /^(k8s|kubernetes)(\+tls)?:/;

/** How it is reached. */
export interface MeshKubernetesOptions {
  readonly runtime: Runtime;
  readonly secret: string | undefined;
  readonly readText: (file: string) => Promise<string>;
}

const timeoutMs = 10_000;

function collection(group: string, version: string, kind: string, plural: string): Collection {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { path: `/${group === '' ? 'api' : 'apis'}/${apiVersion}/${plural}`, apiVersion, kind };
}

const rules: readonly Collection[] = [
  ...(
    [
      ['Gateway', 'gateways'],
      ['VirtualService', 'virtualservices'],
      ['DestinationRule', 'destinationrules'],
      ['ServiceEntry', 'serviceentries'],
      ['WorkloadEntry', 'workloadentries'],
      ['Sidecar', 'sidecars'],
    ] as const
  ).map(([kind, plural]) => collection('networking.istio.io', 'v1', kind, plural)),
  ...(
    [
      ['PeerAuthentication', 'peerauthentications'],
      ['RequestAuthentication', 'requestauthentications'],
      ['AuthorizationPolicy', 'authorizationpolicies'],
    ] as const
  ).map(([kind, plural]) => collection('security.istio.io', 'v1', kind, plural)),
  collection('telemetry.istio.io', 'v1', 'Telemetry', 'telemetries'),
  collection('gateway.networking.k8s.io', 'v1', 'Gateway', 'gateways'),
  collection('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes'),
  collection('gateway.networking.k8s.io', 'v1', 'GRPCRoute', 'grpcroutes'),
  collection('', 'v1', 'Service', 'services'),
];
const pods = collection('', 'v1', 'Pod', 'pods');
const nodes = collection('', 'v1', 'Node', 'nodes');

/** Rules and pods of a cluster, as its API server tells of them. Objects are told what became of them in their status. */
export async function meshKubernetes(
  url: string,
  { runtime, secret, readText }: MeshKubernetesOptions,
): Promise<RuleSource> {
  const parsed = parseRegistryUrl(url);
  const variable = (name: string): string | undefined => process.env[name];
  const world = await worldOf(parsed, { runtime, secret, readText, variable });
  const access = await kubernetesAccess(parsed, world);
  return new MeshKubernetes(runtime, new KubernetesClient({ runtime, access, timeoutMs }));
}

class MeshKubernetes implements RuleSource {
  readonly name = 'kubernetes';
  readonly revision = undefined;
  readonly drift: readonly string[] = [];
  readonly isPerObject = true;
  readonly #runtime: Runtime;
  readonly #client: KubernetesClient;
  readonly #rules: readonly FollowedCollection[];
  readonly #pods: FollowedCollection;
  readonly #nodes: FollowedCollection;
  readonly #told = new Map<string, string>();
  #running = new Map<string, string>();
  #changed: () => void = () => {};
  #instances: (changes: InstanceChanges) => void = () => {};
  #isStarted = false;

  constructor(runtime: Runtime, client: KubernetesClient) {
    this.#runtime = runtime;
    this.#client = client;
    const followed = (of: Collection, changed: () => void): FollowedCollection =>
      new FollowedCollection({ runtime, client, collection: of, changed });
    this.#rules = rules.map((each) => followed(each, () => this.#changed()));
    this.#pods = followed(pods, () => this.#look());
    this.#nodes = followed(nodes, () => this.#look());
  }

  async read(): Promise<readonly ResourceFile[]> {
    if (!this.#isStarted) {
      this.#isStarted = true;
      await Promise.all([...this.#rules, this.#pods, this.#nodes].map((each) => each.start()));
      this.#look();
    }
    return this.#rules.flatMap(({ collection: { kind, apiVersion }, objects }) =>
      [...objects].map(([key, object]) => ({
        file: `${apiVersion}/${kind}/${key}`,
        text: JSON.stringify(withoutStatus(object)),
      })),
    );
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => {};
    };
  }

  follow(changed: (changes: InstanceChanges) => void): void {
    this.#instances = changed;
  }

  /** Only what is said otherwise than before: who watches sees what we write, and would be asked for it again. */
  async tell(verdicts: RuleVerdicts): Promise<void> {
    for (const followed of this.#rules) {
      const { kind, apiVersion } = followed.collection;
      // A Service is not the mesh's to judge.
      if (kind === 'Service') continue;
      for (const [key, object] of followed.objects) {
        const file = `${apiVersion}/${kind}/${key}`;
        const problems = verdicts.get(file) ?? [];
        const { generation, uid } = object.metadata;
        const text = JSON.stringify([uid, generation, problems]);
        if (this.#told.get(file) === text || hasStatus(object, problems)) continue;
        this.#told.set(file, text);
        await this.#tellOne(followed.collection, object, problems);
      }
    }
  }

  /** By a TokenReview (`authentication.k8s.io/v1`): the token must be for us, so that one for others is no use here. */
  async accountOf(token: string): Promise<SourceAccount | undefined> {
    const reviewed = (await this.#client.ask({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      json: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [accountTokenAudience] },
      },
    })) as { readonly status?: TokenReviewStatus };
    const { authenticated = false, user, audiences = [] } = reviewed.status ?? {};
    if (!authenticated || !audiences.includes(accountTokenAudience)) return undefined;
    const [, namespace, serviceAccount] =
      /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user?.username ?? '') ?? [];
    if (namespace === undefined || serviceAccount === undefined) return undefined;
    return { namespace, serviceAccount };
  }

  async close(): Promise<void> {
    for (const each of [...this.#rules, this.#pods, this.#nodes]) each.stop();
    this.#client.close();
  }

  async #tellOne(
    { path, apiVersion, kind }: Collection,
    { metadata }: KubernetesJson,
    problems: readonly string[],
  ): Promise<void> {
    const { name, namespace = 'default', generation } = metadata;
    const at = path.lastIndexOf('/');
    const accepted = {
      type: conditionType,
      status: problems.length === 0 ? 'True' : 'False',
      reason: problems.length === 0 ? 'Accepted' : 'Invalid',
      message: problems.join('\n').slice(0, 4000),
      lastTransitionTime: new Date(this.#runtime.clock.wallMs()).toISOString(),
    };
    // Routes and Gateways of the Gateway API have statuses of other forms, for their own controllers.
    if (apiVersion.startsWith('gateway.')) return;
    try {
      await this.#client.ask({
        method: 'PATCH',
        path: `${path.slice(0, at)}/namespaces/${namespace}/${path.slice(at + 1)}/${name}/status`,
        query: { fieldManager: 'heddle-mesh', force: 'true' },
        json: {
          apiVersion,
          kind,
          metadata: { name, namespace },
          status: { conditions: [accepted], observedGeneration: generation },
        },
      });
    } catch (thrown) {
      this.#runtime.log('warn', 'an object cannot be told what became of it', {
        object: `${kind} ${namespace}/${name}`,
        message: HeddleError.from(thrown).message,
      });
    }
  }

  /** Only what is another than before is told. */
  #look(): void {
    const now = new Map<string, string>();
    const changes: [string, MeshInstance | undefined][] = [];
    for (const [key, pod] of this.#pods.objects) {
      const made = podInstance(pod, (node) => this.#localityOf(node));
      if (made === undefined) continue;
      const text = JSON.stringify(made);
      now.set(key, text);
      if (this.#running.get(key) !== text) changes.push([`pod ${key}`, made]);
    }
    for (const key of this.#running.keys()) if (!now.has(key)) changes.push([`pod ${key}`, undefined]);
    this.#running = now;
    if (changes.length > 0) this.#instances(changes);
  }

  #localityOf(node: string): MeshInstance['locality'] {
    const labels = (this.#nodes.objects.get(`/${node}`)?.metadata['labels'] ?? {}) as Readonly<
      Record<string, string>
    >;
    return {
      region: labels['topology.kubernetes.io/region'] ?? '',
      zone: labels['topology.kubernetes.io/zone'] ?? '',
      subZone: '',
    };
  }
}

interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: { readonly username?: string };
  readonly audiences?: readonly string[];
}

/** The condition by which an object says whether the mesh has taken it. */
const conditionType = 'heddle.dev/Accepted';

function hasStatus({ status }: KubernetesJson, problems: readonly string[]): boolean {
  const { conditions } = (status ?? {}) as {
    readonly conditions?: readonly Readonly<Record<string, unknown>>[];
  };
  const own = conditions?.find(({ type }) => type === conditionType);
  return own !== undefined && (own['message'] ?? '') === problems.join('\n').slice(0, 4000);
}

/** A status is no rule, and what the server keeps books with none either. */
function withoutStatus(object: KubernetesJson): object {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, labels, annotations, creationTimestamp } = metadata;
  return { ...rest, metadata: { name, namespace, labels, annotations, creationTimestamp } };
}
