import type { CommandUsage } from '../command.ts';
import { scopeOptions } from '../shared-options.ts';

/** How `heddle control-plane` is called. */
export const controlPlaneUsage: CommandUsage = {
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
};
