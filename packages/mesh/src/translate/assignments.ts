import { type Assignment, clusterName, type MeshEndpoint, spiffeIdOf } from '../model/index.ts';
import type { WorkloadEntrySpec } from '../resources/index.ts';
import { ofType } from '../resources/index.ts';
import { ruleFor } from './clusters.ts';
import type { DirectoryPort, DirectoryService } from './directory.ts';
import { type MeshInstance, selects } from './instance.ts';
import type { Translation } from './scope.ts';

/** An instance of a service, wherever it is known from. */
interface Candidate {
  readonly labels: Readonly<Record<string, string>>;
  readonly endpoint: (port: DirectoryPort) => MeshEndpoint | undefined;
}

/** The instances of a service's clusters, of its subsets among them. */
export function assignmentsOf(service: DirectoryService, translation: Translation): readonly Assignment[] {
  const candidates = candidatesOf(service, translation);
  const subsets = ruleFor(service, translation)?.spec.subsets ?? [];
  const all = [{ name: '', labels: {} }, ...subsets];
  return service.ports.flatMap((port) =>
    all.map(({ name, labels = {} }) => ({
      cluster: clusterName({ host: service.host, port: port.number, subset: name }),
      endpoints: candidates
        .filter((each) => Object.entries(labels).every(([key, value]) => each.labels[key] === value))
        .flatMap(({ endpoint }) => endpoint(port) ?? []),
    })),
  );
}

function candidatesOf(service: DirectoryService, translation: Translation): readonly Candidate[] {
  const { entry, selector, namespace } = service;
  const written = entry?.spec.endpoints ?? [];
  if (written.length > 0) return written.map((each) => ofEntry(each, namespace, translation));
  if (selector === undefined) return entry === undefined ? [] : namedByItself(service, translation);
  const here = [...translation.running.selected(namespace, selector)].filter(({ labels }) =>
    selects(selector, labels),
  );
  const entries = ofType(translation.resources, 'WorkloadEntry').filter(
    ({ metadata, spec }) =>
      metadata.namespace === namespace && selects(selector, { ...metadata.labels, ...spec.labels }),
  );
  return [
    ...here.map((each) => ofInstance(each, translation)),
    ...entries.map(({ metadata, spec }) =>
      ofEntry({ ...spec, labels: { ...metadata.labels, ...spec.labels } }, namespace, translation),
    ),
  ];
}

/** An entry whose instances are its own names, to be resolved. */
function namedByItself(
  { entry, host, namespace }: DirectoryService,
  translation: Translation,
): readonly Candidate[] {
  const resolved = entry?.spec.resolution?.includes('DNS') === true && !host.startsWith('*');
  return resolved ? [ofEntry({ address: host }, namespace, translation)] : [];
}

function ofInstance(
  instance: MeshInstance,
  { options: { trustDomain = 'cluster.local' } }: Translation,
): Candidate {
  const { address, labels, weight, health, locality } = instance;
  const identity = instance.meshTls ? spiffeIdOf(trustDomain, instance) : '';
  return {
    labels,
    endpoint: (asked) => {
      const port = portOf(instance, asked);
      return port === undefined ? undefined : { address, port, weight, health, locality, identity };
    },
  };
}

/** A registered instance has said itself where it listens, so it needs no port of a template. */
function portOf(
  { ports, registered }: MeshInstance,
  { target, name, protocol }: DirectoryPort,
): number | undefined {
  const named = ports[target] ?? ports[name];
  if (registered === undefined) return typeof target === 'number' ? target : named;
  const speaks = protocol === 'http2' ? 'http' : protocol;
  return named ?? (speaks === registered.protocol ? registered.at : undefined);
}

function ofEntry(
  { address = '', ports = {}, labels = {}, weight = 1, locality = '', serviceAccount }: WorkloadEntrySpec,
  namespace: string,
  { options: { trustDomain = 'cluster.local' } }: Translation,
): Candidate {
  const [region = '', zone = '', subZone = ''] = locality.split('/');
  return {
    labels,
    endpoint: ({ name, target, number }) => ({
      address,
      port: ports[name] ?? (typeof target === 'number' ? target : number),
      weight: Math.max(weight, 1),
      health: 'unknown',
      locality: { region, zone, subZone },
      identity: serviceAccount === undefined ? '' : spiffeIdOf(trustDomain, { namespace, serviceAccount }),
    }),
  };
}
