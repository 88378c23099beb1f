import type { EgressScope, Undone, Workload } from '../model/index.ts';
import { ofType, type ResourceOf } from '../resources/index.ts';
import { originOf, type Translation } from './scope.ts';

/** What a Sidecar says of a workload: which services it knows, and what no plane does of it. */
export function sidecarOf(
  subject: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  translation: Translation,
): Pick<Workload, 'egress' | 'undone'> {
  const sidecar = sidecarFor(subject, translation);
  if (sidecar === undefined) return {};
  const undone = undoneOf(sidecar);
  return {
    ...(sidecar.spec.egress !== undefined && { egress: egressOf(sidecar, translation) }),
    ...(undone.length > 0 && { undone }),
  };
}

/** That which selects it, else that of its namespace, else that of the root namespace; of several the oldest. */
function sidecarFor(
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  { resources, root }: Translation,
): ResourceOf<'Sidecar'> | undefined {
  const age = ({ metadata }: ResourceOf<'Sidecar'>): string =>
    `${metadata.creationTimestamp ?? ''}/${metadata.name}`;
  const all = [...ofType(resources, 'Sidecar')].sort((a, b) => age(a).localeCompare(age(b)));
  const selectorOf = ({ spec }: ResourceOf<'Sidecar'>): readonly (readonly [string, string])[] =>
    Object.entries(spec.workloadSelector?.labels ?? {});
  const here = all.filter(({ metadata }) => metadata.namespace === namespace);
  return (
    here.find((each) => {
      const wanted = selectorOf(each);
      return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
    }) ??
    here.find((each) => selectorOf(each).length === 0) ??
    all.find((each) => each.metadata.namespace === root && selectorOf(each).length === 0)
  );
}

function egressOf(
  { metadata, spec }: ResourceOf<'Sidecar'>,
  { directory }: Translation,
): readonly EgressScope[] {
  return (spec.egress ?? []).flatMap(({ hosts }) =>
    hosts.flatMap((written): EgressScope[] => {
      const slash = written.indexOf('/');
      const own = slash < 0 ? '*' : written.slice(0, slash);
      const namespace = own === '.' ? metadata.namespace : own;
      const host = written.slice(slash + 1);
      return namespace === '~' ? [] : [{ namespace, host: directory.fullName(host, metadata.namespace) }];
    }),
  );
}

function undoneOf(sidecar: ResourceOf<'Sidecar'>): readonly Undone[] {
  const { egress = [], ingress = [], outboundTrafficPolicy, inboundConnectionPool } = sidecar.spec;
  const origin = originOf(sidecar);
  const found: Undone[] = [];
  if (ingress.length > 0)
    found.push({ origin, what: 'ingress of a Sidecar', instead: 'the ports of the services that select it' });
  if (egress.some(({ port, bind }) => port !== undefined || bind !== undefined))
    found.push({ origin, what: 'port and bind of egress', instead: 'the hosts alone, at their own places' });
  if (outboundTrafficPolicy?.mode === 'ALLOW_ANY' || outboundTrafficPolicy?.egressProxy !== undefined)
    found.push({
      origin,
      what: 'outboundTrafficPolicy',
      instead: 'what is not in the mesh is not called through its proxies',
    });
  if (inboundConnectionPool !== undefined)
    found.push({ origin, what: 'inboundConnectionPool', instead: 'no limits for those who call' });
  return found;
}
