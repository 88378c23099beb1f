// Kubernetes' real API server: one that the cases share by namespaces, and one of their own for those that break it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import { inCluster, type KubernetesAccess, kubernetesRegistry } from '@heddle/discovery/kubernetes';
import { openRegistry } from '@heddle/discovery/node';
import {
  recordWatch,
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
  until,
} from '@heddle/discovery/testing';
import type { Address, Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { dataFolder } from '../../engines/cache.ts';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain, type Place, required, type Running } from '../../engines/engine.ts';
import { etcd, etcdctl } from '../../engines/etcd.ts';
import {
  askKube,
  type KubeCredentials,
  kubeApiserver,
  kubeCredentials,
  kubeServerName,
} from '../../engines/kube-apiserver.ts';
import { freePort } from '../../engines/running.ts';
import type { Contract } from '../result.ts';
import { discoveryContract, leaseFor } from './suite.ts';

const ttlMs = 1500;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
let shared: Promise<Cluster> | undefined;
let namespaces = 0;

interface KubernetesStage extends RegistryStage {
  readonly ask: (method: string, path: string, json?: unknown) => Promise<void>;
  readonly namespace: string;
  readonly cluster: Cluster;
}

/** On the real server. */
export const kubernetes: Contract = discoveryContract({
  backend: 'kubernetes',
  prepare: async () => {
    const data = await obtain(etcd);
    return isMissing(data) ? data : obtain(kubeApiserver);
  },
  stages: { '': (one: RegistryCase) => (breaksServer(one) ? onOwn(one) : onShared(one)) },
  // A server takes most of a core while it starts.
  parallel: 3,
  more: [...nativeCases(), ...accessCases(), blockedCase()],
  end: async () => {
    await (await shared)?.end();
  },
});

function breaksServer({ needs = [] }: RegistryCase): boolean {
  return ['kill', 'restart', 'restartEmpty', 'forgetHistory'].some((fault) =>
    needs.some((need) => need === fault),
  );
}

async function onShared(one: RegistryCase): Promise<RegistryStage> {
  shared ??= Cluster.start();
  const cluster = await shared;
  const namespace = await cluster.newNamespace();
  return stageOf(cluster, namespace, leaseFor(one, ttlMs), async () => {});
}

async function onOwn(one: RegistryCase): Promise<RegistryStage> {
  const cluster = await Cluster.start();
  return stageOf(cluster, 'default', leaseFor(one, ttlMs), () => cluster.end());
}

async function stageOf(
  cluster: Cluster,
  namespace: string,
  leaseMs: number,
  end: () => Promise<void>,
): Promise<RegistryStage> {
  const stage = await serverStage({
    runtime,
    ttlMs: leaseMs,
    target: () => cluster.address,
    open: (own, address) => {
      const access = cluster.accessBy({ token: cluster.credentials.adminToken }, address);
      return open(own, access, namespace, leaseMs);
    },
    faults: {
      kill: () => cluster.kill(),
      restart: () => cluster.startAgain(),
      restartEmpty: () => cluster.startEmpty(),
      forgetHistory: () => cluster.forgetHistory(),
    },
    doors: {
      auth: () => withRoles(cluster, namespace),
      tls: () => withCertificates(cluster, namespace),
      ipv6: () => cluster.atIPv6(namespace),
    },
    end,
  });
  const more: Pick<KubernetesStage, 'ask' | 'namespace' | 'cluster'> = {
    cluster,
    namespace,
    ask: async (method, path, json) => {
      const status = await askKube(cluster.address, cluster.credentials, method, path, json);
      assert.ok(status < 300, `${method} ${path}: ${status}`);
    },
  };
  return Object.assign(stage, more);
}

function open(on: Runtime, access: KubernetesAccess, namespace: string, leaseMs: number = ttlMs): Registry {
  const timeoutMs = Math.max(2000, leaseMs);
  return kubernetesRegistry({ runtime: on, access, namespace, ttlMs: leaseMs, timeoutMs });
}

/** Tokens of those who are known and may, are known and may not, and are not known. */
async function withRoles(cluster: Cluster, namespace: string): Promise<RegistryDoor> {
  const { adminToken, nobodyToken } = cluster.credentials;
  const by = (token: string | undefined): Registry => open(runtime, cluster.accessBy({ token }), namespace);
  return {
    right: async () => by(adminToken),
    wrong: async () => ({
      'no token': by(undefined),
      'a wrong token': by('sesame'),
      'a user without a role': by(nobodyToken),
    }),
  };
}

/** A client certificate instead of a token. */
async function withCertificates(cluster: Cluster, namespace: string): Promise<RegistryDoor> {
  const { authority } = cluster.credentials;
  const stranger = new TestAuthority('a stranger', Date.now());
  await cluster.grant(namespace, 'shop');
  const by = (trust: string, from: TestAuthority, subject: string): Registry => {
    const tls = { current: { identities: [from.issue({ subject })], trust } };
    return open(runtime, { ...cluster.accessBy({ token: undefined }), tls }, namespace);
  };
  return {
    right: async () => by(authority.certificate, authority, 'shop'),
    wrong: async () => ({
      'who does not trust the server': by(stranger.certificate, authority, 'shop'),
      'a certificate of somebody else': by(authority.certificate, stranger, 'shop'),
    }),
  };
}

/** An API server over its etcd, which can be killed and come back with what it had, or with nothing. */
class Cluster {
  readonly credentials: KubeCredentials;
  address: Place = { host: '127.0.0.1', port: 0 };
  readonly #folder: string;
  #data: Running | undefined;
  #server: Running | undefined;
  readonly #others: Running[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.credentials = kubeCredentials(folder);
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(dataFolder('kube'));
    cluster.address = { host: '127.0.0.1', port: await freePort() };
    await cluster.startEmpty();
    return cluster;
  }

  accessBy({ token }: { token: string | undefined }, address: Address = this.address): KubernetesAccess {
    const { authority } = this.credentials;
    return {
      address,
      tls: { current: { identities: [], trust: authority.certificate } },
      serverName: kubeServerName,
      token: () => Promise.resolve(token),
      namespace: 'default',
    };
  }

  async newNamespace(): Promise<string> {
    const name = `case-${namespaces++}`;
    await this.#ask('POST', '/api/v1/namespaces', { metadata: { name } });
    return name;
  }

  /** What docs/discovery.md says that a process needs, in one namespace. */
  async grant(namespace: string, user: string): Promise<void> {
    const base = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
    const rules = [
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs },
      { apiGroups: [''], resources: ['services'], verbs: ['get', 'create'] },
    ];
    await this.#ask('POST', `${base}/roles`, { metadata: { name: 'heddle' }, rules });
    await this.#ask('POST', `${base}/rolebindings`, {
      metadata: { name: 'heddle' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'heddle' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    });
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    process.kill(server.pid, 'SIGKILL');
    await server.stop();
  }

  async startAgain(): Promise<void> {
    const data = this.#data;
    assert.ok(data !== undefined);
    this.#server = await kubeApiserver.start({
      etcd: data.address,
      credentials: this.credentials,
      address: this.address,
    });
  }

  async startEmpty(): Promise<void> {
    await this.#data?.stop();
    this.#data = await etcd.start({});
    await this.startAgain();
  }

  /** A server that has just started knows no past, and etcd has dropped it. */
  async forgetHistory(): Promise<void> {
    await this.kill();
    const endpoint = `--endpoints=${this.#data?.address.host}:${this.#data?.address.port}`;
    const said = await control([endpoint, 'endpoint', 'status', '--write-out=json']);
    const [status] = JSON.parse(said) as [{ Status: { header: { revision: number } } }];
    await control([endpoint, 'compaction', '--physical', String(status.Status.header.revision)]);
    await this.startAgain();
  }

  /** Another server over the same data. */
  async atIPv6(namespace: string): Promise<RegistryDoor> {
    const address = { host: '::1', port: await freePort() };
    assert.ok(this.#data !== undefined);
    const { credentials } = this;
    this.#others.push(await kubeApiserver.start({ etcd: this.#data.address, credentials, address }));
    const access = this.accessBy({ token: credentials.adminToken }, address);
    return { right: async () => open(runtime, access, namespace), wrong: async () => ({}) };
  }

  async end(): Promise<void> {
    await Promise.all(this.#others.map((other) => other.stop()));
    await this.kill();
    await this.#data?.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #ask(method: string, path: string, json: unknown): Promise<void> {
    const status = await askKube(this.address, this.credentials, method, path, json);
    assert.ok(status < 300, `${method} ${path}: ${status}`);
  }
}

/** Runs etcdctl, to its end. */
async function control(args: readonly string[]): Promise<string> {
  const { path: command } = await required(etcdctl);
  const { code, output } = await run(command, args, { env: { ETCDCTL_API: '3' } });
  if (code !== 0) throw new Error(`etcdctl: ${lastWords(output)}`);
  return output;
}

/** What Kubernetes' own controllers write, and what those see who know nothing of us. */
function nativeCases(): RegistryCase[] {
  return [
    {
      name: 'slices that a controller wrote: several are one service, with conditions, zones and named ports',
      run: async (stage) => {
        const { ask, namespace } = stage as KubernetesStage;
        const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
        const pod = (name: string, last: number, conditions: object): object => ({
          addresses: [`10.1.0.${last}`],
          conditions,
          zone: 'zone-a',
          nodeName: 'node-1',
          targetRef: { kind: 'Pod', name },
        });
        const slice = (name: string, addressType: string, endpoints: object[]): object => ({
          metadata: { name, labels: { 'kubernetes.io/service-name': 'users' } },
          addressType,
          ports: [
            { name: 'http', port: 8080 },
            { name: 'grpc', port: 7000 },
          ],
          endpoints,
        });
        const registry = await stage.open();
        const watch = recordWatch(registry, 'users');
        const seen = (): string | undefined =>
          watch.latest?.instances
            .map(({ address, port, state, zone }) => `${address} ${port} ${state} ${zone}`)
            .join(', ');
        const ready = { ready: true };
        const six = { addresses: ['fd00::9'], conditions: ready };
        await ask(
          'POST',
          slices,
          slice('users-a', 'IPv4', [pod('a', 1, ready), pod('b', 2, { ready: false })]),
        );
        await ask('POST', slices, slice('users-b', 'IPv6', [six]));
        const first =
          '10.1.0.1 7000 running zone-a, 10.1.0.2 7000 unhealthy zone-a, fd00::9 7000 running default';
        await until(stage.runtime, first, 3000, () => seen() === first);
        assert.deepEqual(await registry.services(), ['users']);
        const leaving = { ready: false, serving: true, terminating: true };
        const changed = slice('users-a', 'IPv4', [pod('a', 1, leaving), pod('b', 2, ready)]);
        await ask('PUT', `${slices}/users-a`, changed);
        await ask('DELETE', `${slices}/users-b`);
        const last = '10.1.0.1 7000 draining zone-a, 10.1.0.2 7000 running zone-a';
        await until(stage.runtime, last, 3000, () => seen() === last);
        await watch.stop();
      },
    },
    {
      name: 'what we register is a Service and a slice for those who know nothing of us, and comes back when deleted',
      run: async (stage) => {
        const { ask, namespace } = stage as KubernetesStage;
        const base = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
        const slice = `${base}/${objectName('users', 'a')}`;
        const registry = await stage.open();
        const { instance } = await registry.register({
          id: 'a',
          service: 'users',
          address: '10.0.0.1',
          port: 8080,
        });
        await ask('GET', `/api/v1/namespaces/${namespace}/services/users`);
        await ask('GET', slice);
        await ask('DELETE', slice);
        await until(stage.runtime, 'the slice is there again', ttlMs, () => ask('GET', slice).then(yes, no));
        await registry.deregister('users', instance.id);
        assert.equal(await ask('GET', slice).then(yes, no), false);
      },
    },
  ];
}

/** No thread renews for a blocked one here: the lease is long enough instead. */
function blockedCase(): RegistryCase {
  return {
    name: 'a main thread that is blocked for 20 s keeps its lease: by default that is longer',
    alone: true,
    run: async (stage) => {
      const { cluster, namespace } = stage as KubernetesStage;
      const access = cluster.accessBy({ token: cluster.credentials.adminToken });
      const registry = kubernetesRegistry({ runtime, access, namespace });
      const held = await registry.register({ id: 'a', service: 'users', address: '10.0.0.1', port: 8080 });
      const endMs = runtime.clock.nowMs() + 20_000;
      while (runtime.clock.nowMs() < endMs);
      assert.equal(held.registered, true, held.problem?.message ?? 'the lease has lapsed');
      const { instances } = await registry.instances('users');
      assert.deepEqual(
        instances.map(({ id }) => id),
        ['a'],
      );
      await registry.close();
    },
  };
}

/** The ways in that people have, each as it comes: a kubeconfig, a pod's service account, the command. */
function accessCases(): RegistryCase[] {
  return [
    {
      name: 'a kubeconfig with a client certificate, by URL; the command examines the registry with it',
      run: async (stage) => {
        const { cluster, namespace } = stage as KubernetesStage;
        const folder = dataFolder('kubeconfig');
        const file = path.join(folder, 'config.yaml');
        await cluster.grant(namespace, 'shop');
        writeFileSync(file, kubeconfig(cluster, 'shop'), { mode: 0o600 });
        const url = `k8s:/${namespace}?kubeconfig=${encodeURIComponent(file)}&ttl=${ttlMs}`;
        try {
          const registry = await openRegistry(url, { runtime });
          const held = await registry.register({ service: 'users', address: '10.0.0.1', port: 8080 });
          assert.equal(held.registered, true, held.problem?.message ?? '');
          await registry.close();
          const main = path.resolve(import.meta.dirname, '../../../apps/heddle/src/main.ts');
          const args = [
            '--conditions=@heddle/source',
            main,
            'doctor',
            'discovery',
            '--json',
            '--registry',
            url,
          ];
          const { code, output } = await run(process.execPath, args);
          assert.equal(code, 0, output);
          const { findings } = JSON.parse(output) as { findings: { check: string; result: string }[] };
          return findings.map(({ check, result }) => `${check} ${result}`).join(', ');
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    },
    {
      name: 'in a pod: the service account’s folder, and its token read again when it is renewed',
      run: async (stage) => {
        const { cluster, namespace } = stage as KubernetesStage;
        const { authority, adminToken } = cluster.credentials;
        const folder = dataFolder('serviceaccount');
        const write = (name: string, text: string): void =>
          writeFileSync(path.join(folder, name), `${text}\n`);
        write('ca.crt', authority.certificate);
        write('namespace', namespace);
        write('token', 'one-that-has-ended');
        const place: Readonly<Record<string, string>> = {
          KUBERNETES_SERVICE_HOST: cluster.address.host,
          KUBERNETES_SERVICE_PORT: String(cluster.address.port),
        };
        let skewMs = 0;
        const clock = { ...runtime.clock, nowMs: () => runtime.clock.nowMs() + skewMs };
        const later = { ...runtime, clock };
        try {
          const access = await inCluster({ runtime: later, folder, variable: (name) => place[name] });
          const registry = kubernetesRegistry({ runtime, access, ttlMs });
          await assert.rejects(registry.instances('users'), { code: 'unauthenticated' });
          write('token', adminToken);
          skewMs = 61_000;
          assert.deepEqual((await registry.instances('users')).instances, []);
          await registry.close();
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    },
  ];
}

function kubeconfig(cluster: Cluster, user: string): string {
  const { authority } = cluster.credentials;
  const { certificates, privateKey } = authority.issue({ subject: user });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: ${user} } }]
clusters:
  - name: test
    cluster:
      server: https://${cluster.address.host}:${cluster.address.port}
      certificate-authority-data: ${base64(authority.certificate)}
users:
  - name: ${user}
    user:
      client-certificate-data: ${base64(certificates)}
      client-key-data: ${base64(privateKey)}
`;
}

const yes = (): boolean => true;
const no = (): boolean => false;

/** As the adapter names it. */
function objectName(service: string, id: string): string {
  return `heddle-${createHash('sha256').update(`${service}/${id}`).digest('hex').slice(0, 40)}`;
}
