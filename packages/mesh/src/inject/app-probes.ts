import { healthPort } from './inject-settings.ts';
import { isMembers, type Json, type JsonMembers, membersIn, objectsIn, textOf } from './json-value.ts';

/** The probes of an application that its sidecar answers: what the kubelet asks for, and what is to be asked then. */
export interface AppProbes {
  /** By path: the probe as the application has it, its port a number. */
  readonly asked: Readonly<Record<string, JsonMembers>>;
  /** By `container/livenessProbe`: as it was written, so that it can be put back. */
  readonly originals: Readonly<Record<string, JsonMembers>>;
  readonly notes: readonly string[];
}

const kinds = { livenessProbe: 'livez', readinessProbe: 'readyz', startupProbe: 'startupz' } as const;
/** The members of a container that are probes. */
export const probeNames = Object.keys(kinds) as readonly (keyof typeof kinds)[];
const members = ['httpGet', 'tcpSocket', 'grpc'] as const;
/** One of the ways to probe that a network is needed for; `https` is an `httpGet` with that scheme. */
export type ProbeWay = (typeof members)[number] | 'https';

/**
 * Leads the probes by network to the sidecar, since the kubelet has no identity and would be refused where callers must
 * prove who they are. `can`: the ways in which the sidecar can probe; others stay as they are, which is noted.
 */
export function leadProbes(
  spec: JsonMembers,
  can: readonly ProbeWay[],
): { readonly spec: JsonMembers; readonly probes: AppProbes } {
  const asked: Record<string, JsonMembers> = {};
  const originals: Record<string, JsonMembers> = {};
  const notes: string[] = [];
  const lead = (container: JsonMembers): JsonMembers => {
    const changed: Record<string, Json> = {};
    for (const kind of probeNames) {
      const probe = container[kind];
      const way = isMembers(probe) ? members.find((each) => probe[each] !== undefined) : undefined;
      if (!isMembers(probe) || way === undefined) continue;
      const name = textOf(container['name']);
      const numbered = withNumber(probe, way, container);
      const spoken = way === 'httpGet' && numbered?.['scheme'] === 'HTTPS' ? 'https' : way;
      const why = numbered === undefined ? 'its port is not declared' : `a probe by ${spoken} cannot be`;
      if (numbered === undefined || !can.includes(spoken)) {
        notes.push(`${name}: ${kind} is not led through the sidecar: ${why}`);
        continue;
      }
      const path = `/app-health/${name}/${kinds[kind]}`;
      asked[path] = { [way]: numbered, timeoutSeconds: probe['timeoutSeconds'] ?? 1 };
      originals[`${name}/${kind}`] = probe;
      const { [way]: _, ...timing } = probe;
      changed[kind] = { ...timing, httpGet: { path, port: healthPort } };
    }
    return { ...container, ...changed };
  };
  return { spec: eachContainer(spec, lead), probes: { asked, originals, notes } };
}

/** The probes as they were, where they are still as we have made them. */
export function putProbesBack(
  spec: JsonMembers,
  originals: Readonly<Record<string, JsonMembers>>,
): JsonMembers {
  return eachContainer(spec, (container) => {
    const back: Record<string, Json> = {};
    for (const kind of probeNames) {
      const original = originals[`${textOf(container['name'])}/${kind}`];
      const path = membersIn(membersIn(container[kind])['httpGet'])['path'];
      if (original !== undefined && textOf(path).startsWith('/app-health/')) back[kind] = original;
    }
    return { ...container, ...back };
  });
}

function eachContainer(spec: JsonMembers, change: (container: JsonMembers) => JsonMembers): JsonMembers {
  const changed: Record<string, Json> = {};
  for (const list of ['containers', 'initContainers'])
    if (spec[list] !== undefined) changed[list] = objectsIn(spec[list]).map(change);
  return { ...spec, ...changed };
}

/** What is asked, with its port as a number; undefined where no port of the container has the name. */
function withNumber(
  probe: JsonMembers,
  way: (typeof members)[number],
  container: JsonMembers,
): JsonMembers | undefined {
  const asked = membersIn(probe[way]);
  const { port } = asked;
  if (typeof port === 'number') return asked;
  const found = objectsIn(container['ports']).find(({ name }) => name === port)?.['containerPort'];
  if (typeof found === 'number') return { ...asked, port: found };
  return /^\d{1,5}$/.test(textOf(port)) ? { ...asked, port: Number(port) } : undefined;
}
