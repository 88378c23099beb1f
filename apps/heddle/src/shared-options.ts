// Options that several commands have, or that say what another part reads: without code, as the help of all commands needs them.
import type { CommandOption } from './command.ts';

/** The options of every command that works on a registry. */
export const registryOptions: Readonly<Record<string, CommandOption>> = {
  registry: {
    type: 'string',
    value: 'URL',
    help: 'consul://host:8500, k8s: … (docs/discovery.md)',
  },
  data: {
    type: 'string',
    value: 'DIR',
    help: 'Folder of the running "heddle up"; default .heddle',
  },
};

/** The options of every command that asks a control plane what it has observed. */
export const planeOptions: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', help: 'As JSON' },
  data: { type: 'string', value: 'DIR', help: 'Folder of the running "heddle up"; default .heddle' },
  plane: {
    type: 'string',
    value: 'HOST:PORT',
    help: 'Another control plane, https://HOST:PORT where it speaks TLS; its token in HEDDLE_REGISTRY_TOKEN',
  },
};

/** The option by which commands say which broker is meant. */
export const brokerOption: CommandOption = {
  type: 'string',
  value: 'URL',
  help: 'postgres://, nats://, redis://, kafka:// or amqp://; default HEDDLE_BROKER_URL, HEDDLE_DATABASE_URL',
};

/** Options that say what is put beside an application. */
export const injectOptions: Readonly<Record<string, CommandOption>> = {
  proxy: { type: 'string', value: 'NAME', help: 'heddle (default) or envoy, which gets all it does by xDS' },
  image: { type: 'string', value: 'IMAGE', help: 'Of the sidecar; default that of the proxy' },
  'control-plane': {
    type: 'string',
    value: 'HOST:PORT',
    help: 'As sidecars find it; default heddle-control-plane.heddle:8090',
  },
  'control-plane-roots': {
    type: 'string',
    value: 'NAME/KEY',
    help: 'The ConfigMap of each namespace with the roots of a control plane that speaks TLS (--tls); default: plaintext',
  },
  'account-tokens': {
    type: 'boolean',
    help: 'Sidecars show the tokens of their service accounts, which a control plane with --mesh k8s: takes, instead of a secret',
  },
  'token-secret': {
    type: 'string',
    value: 'NAME/KEY',
    help: 'The secret of each namespace with the bootstrap token of a service account; default heddle-mesh-{serviceAccount}/token',
  },
  dns: {
    type: 'string',
    value: 'ADDRESS',
    help: 'The cluster’s own DNS: pods then ask their sidecars for names; default: they are not led there',
  },
  'by-label': {
    type: 'boolean',
    help: 'Only what a label or annotation asks for (sidecar.istio.io/inject, istio-injection)',
  },
  beside: {
    type: 'boolean',
    help: 'As a container beside the application, for clusters older than Kubernetes 1.29',
  },
};

/** Options of the commands that read resources of a mesh. */
export const scopeOptions: Readonly<Record<string, CommandOption>> = {
  namespace: { type: 'string', value: 'NAME', help: 'Of objects that name none; default "default"' },
  'root-namespace': {
    type: 'string',
    value: 'NAME',
    help: 'Whose policies are for all; default "istio-system"',
  },
  'trust-domain': { type: 'string', value: 'NAME', help: 'Of the identities; default "cluster.local"' },
};
