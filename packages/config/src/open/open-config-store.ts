import {
  type OpenRegistryOptions,
  parseRegistryUrl,
  type RegistryUrl,
  worldOf,
} from '@heddle/discovery/clients';
import { HeddleError } from '@heddle/kernel';
import { sqlPool } from '@heddle/sql';
import { RemoteStore } from '../remote/remote-store.ts';
import type { ConfigStore } from '../store/config-store.ts';

/** What opening a store takes: the secret is a token or a password. */
export type OpenConfigOptions = OpenRegistryOptions;

const examples =
  'heddle://host:8090 (a config centre), heddle+tls://host:8090?ca-file=roots.pem, postgres://user@host/database, etcd://host:2379/prefix, consul://host:8500, ' +
  'nacos://host:8848/namespace?group=shop, k8s:/namespace, git:/path/to/bare.git?branch=main&remote=origin';

/**
 * The store that a URL names, of whatever backend; see `examples`. PostgreSQL's makes its table if it is not there.
 * Rejects with `invalid_argument` / `BAD_CONFIG_URL` or `BAD_REGISTRY_URL` and what is wrong.
 */
export async function openConfigStore(text: string, options: OpenConfigOptions): Promise<ConfigStore> {
  const [scheme = ''] = text.split(':', 1);
  switch (scheme.replace('+tls', '')) {
    case 'heddle':
      return openRemote(text, options);
    case 'git':
      return openGit(text, options);
    case 'postgres':
    case 'postgresql':
      return openPostgres(text, options);
    case 'etcd':
    case 'consul':
    case 'nacos':
    case 'k8s':
    case 'kubernetes':
      return openServer(parseRegistryUrl(text), options);
    default:
      throw badConfigUrl(text, `found the scheme "${scheme}"`);
  }
}

async function openServer(url: RegistryUrl, options: OpenConfigOptions): Promise<ConfigStore> {
  const world = await worldOf(url, options);
  const { runtime, tls, secret } = world;
  const { addresses, path } = url;
  if (url.backend === 'consul') {
    const { ConsulStore } = await import('../adapters/consul/consul-store.ts');
    return new ConsulStore({ runtime, addresses, token: secret, tls, ...(path !== '' && { prefix: path }) });
  }
  if (url.backend === 'nacos') {
    const [{ NacosStore }, { credentialsOf }] = await Promise.all([
      import('../adapters/nacos/nacos-store.ts'),
      import('@heddle/discovery/clients'),
    ]);
    const [credentials, group] = [credentialsOf(url, world), url.parameters.get('group')];
    return new NacosStore({
      runtime,
      addresses,
      tls,
      credentials,
      ...(group !== null && group !== undefined && { group }),
      ...(path !== '' && { namespace: path }),
    });
  }
  if (url.backend === 'etcd') {
    const [{ EtcdStore }, { credentialsOf }] = await Promise.all([
      import('../adapters/etcd/etcd-store.ts'),
      import('@heddle/discovery/clients'),
    ]);
    const given = credentialsOf(url, world);
    const user = given && { name: given.user, password: given.password };
    return new EtcdStore({ runtime, addresses, tls, user, ...(path !== '' && { prefix: `/${path}` }) });
  }
  const [{ KubernetesStore }, { kubernetesAccess }] = await Promise.all([
    import('../adapters/kubernetes/kubernetes-store.ts'),
    import('@heddle/discovery/clients'),
  ]);
  const access = await kubernetesAccess(url, world);
  return new KubernetesStore({ runtime, access, namespace: path === '' ? access.namespace : path });
}

async function openRemote(text: string, options: OpenConfigOptions): Promise<ConfigStore> {
  // Read as the URL of the registry of the same control plane, which may say the same of TLS.
  const url = parseRegistryUrl(text.replace(/^heddle/, 'embedded'));
  const unknown = [...url.parameters.keys()].filter((name) => !remoteParameters.has(name));
  if (url.addresses.length === 0 || url.path !== '' || unknown.length > 0)
    throw badConfigUrl(
      text,
      unknown.length > 0 ? `unknown ${unknown.join(', ')}` : 'expected heddle://host:port',
    );
  if (!url.secure && url.parameters.size > 0)
    throw badConfigUrl(text, 'certificates are for TLS, and the scheme does not end with "+tls"');
  const { runtime, secret } = options;
  if (secret === undefined)
    throw badConfigUrl(text, 'a config centre asks for its token: set HEDDLE_CONFIG_TOKEN');
  const { tls } = await worldOf(url, options);
  return new RemoteStore({ runtime, addresses: url.addresses, token: secret, tls });
}

const remoteParameters: ReadonlySet<string> = new Set(['ca-file', 'server-name']);

async function openGit(text: string, { runtime }: OpenConfigOptions): Promise<ConfigStore> {
  const [, folder = '', query = ''] = /^git:(?:\/\/)?(\/[^?#]*|\.[^?#]*)(?:\?([^#]*))?$/.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].filter((name) => name !== 'branch' && name !== 'remote');
  if (folder === '' || unknown.length > 0)
    throw badConfigUrl(
      text,
      unknown.length > 0 ? `unknown ${unknown.join(', ')}` : 'expected git: and a path',
    );
  const { GitStore } = await import('../adapters/git/node/git-store.ts');
  const [branch, remote] = [parameters.get('branch'), parameters.get('remote')];
  return new GitStore({
    runtime,
    folder: decodeURIComponent(folder),
    ...(branch !== null && { branch }),
    ...(remote !== null && { remote }),
  });
}

async function openPostgres(text: string, { runtime, secret }: OpenConfigOptions): Promise<ConfigStore> {
  const { PostgresStore } = await import('../adapters/postgres/postgres-store.ts');
  const url = new URL(text);
  if (secret !== undefined && url.password === '') url.password = encodeURIComponent(secret);
  const pool = sqlPool(url.href, { runtime, name: 'heddle config', maxConnections: 4 });
  const store = new PostgresStore({ runtime, pool, url: url.href });
  const close = store.close.bind(store);
  // The pool is the store's own here, and goes with it.
  const whole = Object.assign(store, {
    close: async (): Promise<void> => {
      await close();
      await pool.stop?.();
    },
  });
  try {
    await store.start();
    return whole;
  } catch (thrown) {
    await whole.close();
    throw thrown;
  }
}

function badConfigUrl(text: string, found: string): HeddleError {
  const shown = text.replace(/\/\/[^/]*@/, '//…@');
  const message = `the config store "${shown}": ${found}; expected one such as ${examples}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_CONFIG_URL', message, sent: false });
}
