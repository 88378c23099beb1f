import type { Instance } from '@heddle/discovery';
import { type MeshInstance, registeredLabel } from '@heddle/mesh/translate';

/** Metadata of an instance that mean something to the mesh; all others are labels of it. */
const known = {
  /** Default: that of the control plane (`--namespace`). */
  namespace: 'namespace',
  /** Default: the name of the service. */
  workload: 'workload',
  /** Default: the name of the workload. */
  account: 'service-account',
  /** `true`: it speaks the mesh's TLS. */
  tls: 'mesh-tls',
  /** At which port callers name it, unless a Service says so. Default 80. */
  port: 'service-port',
} as const;

const none = 'default';

/**
 * A registered instance as the mesh has it; undefined for one that gets no calls whatever happens (weight 0, stopped).
 * Labels: `app` and `heddle.dev/service` (the service), `version`, and its metadata.
 */
export function registeredInstance(instance: Instance, defaultNamespace: string): MeshInstance | undefined {
  const { service, address, port, version, metadata, state, weight, protocol } = instance;
  if (weight === 0 || state === 'stopped') return undefined;
  const workload = metadata[known.workload] ?? service;
  const own = new Set<string>(Object.values(known));
  const labels = Object.fromEntries(Object.entries(metadata).filter(([key]) => !own.has(key)));
  return {
    namespace: metadata[known.namespace] ?? defaultNamespace,
    workload,
    labels: { app: service, ...(version !== '' && { version }), ...labels, [registeredLabel]: service },
    address,
    ports: {},
    registered: { service, protocol, port: portOf(metadata[known.port]), at: port },
    serviceAccount: metadata[known.account] ?? workload,
    locality: { region: placeOf(instance.region), zone: placeOf(instance.zone), subZone: '' },
    weight,
    health: healthOf(instance),
    meshTls: metadata[known.tls] === 'true',
  };
}

/** Only running ones get calls; of those, what their checks say counts. */
function healthOf({ state, health }: Instance): MeshInstance['health'] {
  if (state === 'draining' || state === 'stopping') return 'draining';
  if (state !== 'running' || health === 'critical') return 'unhealthy';
  return health === 'unknown' ? 'unknown' : 'healthy';
}

/** Who does not know where it is says `default`. */
function placeOf(text: string): string {
  return text === none ? '' : text;
}

function portOf(text: string | undefined): number {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : 80;
}
