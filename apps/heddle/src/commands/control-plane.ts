import path from 'node:path';
import { lockFolder } from '@heddle/discovery/node';
import type { Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError } from '../command.ts';
import { alertConfig } from '../control-plane/alerts.ts';
import { passwordSet } from '../control-plane/auth-first-user.ts';
import { openControlPlane } from '../control-plane/control-plane.ts';
import { rootsFile, type TlsWish } from '../control-plane/own-tls.ts';
import { readTextFile } from '../node/config-file.ts';
import { loadSchemas } from '../node/config-schemas.ts';
import { runServer } from '../node/run-server.ts';
import { registryAt } from '../registry-access.ts';
import { isSupervised } from '../node/tell-parent.ts';
import { scopeOf, scopeOptions } from './mesh/scope-options.ts';

/** `heddle control-plane`. */
export const controlPlane: Command = {
  name: 'control-plane',
  summary: 'Run the registry and the console',
  words: '',
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: 'Where to listen; default 8090, 0: any free one',
    },
    host: {
      type: 'string',
      value: 'HOST',
      help: 'The address to listen on; default 127.0.0.1 (docs/security.md)',
    },
    tls: {
      type: 'boolean',
      help: 'Speak TLS alone, by a certificate of its own authority; clients believe mesh/roots.pem of the data folder',
    },
    'tls-name': {
      type: 'string',
      value: 'NAME,…',
      help: 'Names and addresses that the certificate is for too, beside localhost, 127.0.0.1 and that of --host',
    },
    'tls-cert': {
      type: 'string',
      value: 'FILE',
      help: 'Speak TLS alone, by this certificate (PEM), read again when it changes',
    },
    'tls-key': { type: 'string', value: 'FILE', help: 'The key of --tls-cert (PEM)' },
    data: { type: 'string', value: 'DIR', help: 'Where the registry is kept; default .heddle/control-plane' },
    'log-store': {
      type: 'string',
      value: 'URL',
      help: 'OpenSearch or Elasticsearch that gets all log lines too; HEDDLE_LOG_STORE_AUTHORIZATION is its header',
    },
    alerts: {
      type: 'string',
      value: 'DIR',
      help: 'Rules of alerts, and in alertmanager.yml who is told; default: the default rules, and nobody',
    },
    'config-store': {
      type: 'string',
      value: 'URL',
      help: 'Where the config centre keeps its values (docs/config.md); default HEDDLE_CONFIG_STORE, or no config centre',
    },
    'config-schemas': {
      type: 'string',
      value: 'FILE',
      help: 'A module whose export "schemas" says what places may hold',
    },
    mesh: {
      type: 'string',
      value: 'PLACE',
      help: 'Rules of a mesh (Istio, Gateway API), served by xDS: a file, a folder, git:, k8s:, etcd:// … (docs/mesh.md)',
    },
    'mesh-registry': {
      type: 'string',
      value: 'URL',
      help: 'Whose instances are in the mesh; default: those of this control plane’s own registry',
    },
    guard: {
      type: 'string',
      value: 'URL',
      help: 'A registry in which services register directly (etcd://…, consul://…): what breaks others is kept out there too',
    },
    ...scopeOptions,
  },
  examples: [
    'HEDDLE_REGISTRY_TOKEN=$(openssl rand -hex 32) heddle control-plane',
    'heddle control-plane --port 9090 --data /var/lib/heddle --host 10.0.0.5',
    'heddle control-plane --host 10.0.0.5 --tls --tls-name control-plane.example.com',
    'heddle control-plane --config-store etcd://127.0.0.1:2379/config --config-schemas schemas.ts',
    'heddle control-plane --mesh deploy/mesh',
    'heddle control-plane --mesh "git:/srv/mesh.git?branch=main&folder=rules"',
    'heddle control-plane --guard consul://127.0.0.1:8500',
    'heddle control-plane --mesh etcd://127.0.0.1:2379/mesh --mesh-registry etcd://127.0.0.1:2379/registry',
  ],
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const runtime = nodeRuntime({ name: 'control-plane', dataFolder });
    const { env } = process;
    const options = {
      runtime,
      dataFolder,
      env,
      token: requireToken(),
      adminToken: env['HEDDLE_ADMIN_TOKEN'],
      address: { host: given.text('host') ?? '127.0.0.1', port: given.port('port', 8090) },
      alerts: alertConfig(given.text('alerts')),
      logStore: logStoreOf(given),
      configStore: given.text('config-store') ?? env['HEDDLE_CONFIG_STORE'],
      schemas: await loadSchemas(given.text('config-schemas')),
      password: passwordSet(env, (file) => readTextFile(file, 'password')),
      mesh: given.text('mesh'),
      meshRegistry: await registryOf(given, 'mesh-registry', runtime),
      guarded: [await registryOf(given, 'guard', runtime)].filter((one) => one !== undefined),
      scope: scopeOf(given),
      tls: tlsOf(given),
    };
    await lockFolder(dataFolder);
    const { parts, place, url, madePassword } = await openControlPlane(options);
    const facts = (): Record<string, string> => {
      const { host, port } = place();
      return {
        address: `${host}:${port}`,
        url: url(),
        ...(options.tls !== undefined && { roots: path.join(dataFolder, rootsFile) }),
        ...(madePassword !== undefined && { password: madePassword }),
      };
    };
    if (madePassword !== undefined && !isSupervised())
      world.terminal.err(`sign in to the console as admin with ${madePassword} (shown this once)\n`);
    return runServer(
      { name: 'control-plane', runtime, parts, propagationMs: 0 },
      world,
      facts,
      ({ password: _, ...logged }) => logged,
    );
  },
};

async function registryOf(given: Given, option: string, runtime: Runtime): Promise<Registry | undefined> {
  const url = given.text(option);
  return url === undefined ? undefined : registryAt(url, runtime);
}

/** Throws a usage error for what does not go together. */
function tlsOf(given: Given): TlsWish | undefined {
  const [certificates, privateKey] = [given.text('tls-cert'), given.text('tls-key')];
  const names = given
    .text('tls-name')
    ?.split(',')
    .map((each) => each.trim());
  if (certificates !== undefined || privateKey !== undefined) {
    if (given.flag('tls') || names !== undefined)
      throw usageError(
        '--tls and --tls-name make a certificate, --tls-cert and --tls-key name one: expected either, found both',
      );
    if (certificates === undefined || privateKey === undefined)
      throw usageError('expected --tls-cert and --tls-key together, found one of them');
    return { kind: 'files', certificates, privateKey };
  }
  if (!given.flag('tls')) {
    if (names === undefined) return undefined;
    throw usageError('--tls-name says what the certificate of --tls is for: expected --tls beside it');
  }
  const host = given.text('host') ?? '127.0.0.1';
  const isAny = host === '0.0.0.0' || host === '::';
  if (isAny && names === undefined)
    throw usageError(
      `--host ${host} is no address that anybody calls: expected --tls-name with those that they do`,
    );
  return {
    kind: 'own',
    hosts: ['localhost', ...new Set(['127.0.0.1', ...(isAny ? [] : [host]), ...(names ?? [])])],
  };
}

/** A secret comes by the environment, where no process list shows it. */
function logStoreOf(given: Given): { url: string; authorization: string | undefined } | undefined {
  const url = given.text('log-store');
  if (url === undefined) return undefined;
  if (!/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url))
    throw usageError(
      `--log-store expects a URL such as http://127.0.0.1:9200, without a password, found "${url}"`,
    );
  return { url, authorization: process.env['HEDDLE_LOG_STORE_AUTHORIZATION'] };
}

function requireToken(): string {
  const token = process.env['HEDDLE_REGISTRY_TOKEN'] ?? '';
  if (/^[\x21-\x7e]{16,256}$/.test(token)) return token;
  const message =
    'HEDDLE_REGISTRY_TOKEN is not set to 16 to 256 visible characters. It is the secret that every program needs to ' +
    'use the registry, and has no default; make one with: openssl rand -hex 32';
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_TOKEN', message });
}
