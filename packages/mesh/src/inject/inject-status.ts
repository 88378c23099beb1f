import { probeNames, putProbesBack } from './app-probes.ts';
import {
  isMembers,
  type Json,
  type JsonMembers,
  membersIn,
  objectsIn,
  textsIn,
  textOf,
} from './json-value.ts';
import type { PodBody } from './pod-body.ts';

/** The annotation by which a later injection knows what an earlier one has added. */
export const statusName = 'heddle.dev/sidecar-status';

/** What was added, so that it can be taken out again. */
export interface InjectStatus {
  readonly containers: readonly string[];
  readonly initContainers: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: readonly string[];
  readonly sysctls: readonly string[];
  /** By `container/livenessProbe`: as it was. */
  readonly probes: Readonly<Record<string, JsonMembers>>;
  /** `dnsPolicy` and `dnsConfig` as they were; undefined where they were left alone. */
  readonly dns?: JsonMembers;
  /** Of all that was added: the same again is not injected twice. */
  readonly digest: string;
}

/** What an earlier injection says of itself; undefined where there was none, or it cannot be read. */
export function statusOf({ metadata }: PodBody): InjectStatus | undefined {
  const text = textsIn(metadata['annotations'])[statusName];
  if (text === undefined) return undefined;
  try {
    const found = membersIn(JSON.parse(text));
    const texts = (name: string): readonly string[] => {
      const list = found[name];
      return Array.isArray(list) ? list.map(textOf) : [];
    };
    return {
      containers: texts('containers'),
      initContainers: texts('initContainers'),
      volumes: texts('volumes'),
      labels: texts('labels'),
      sysctls: texts('sysctls'),
      probes: membersIn(found['probes']) as Record<string, JsonMembers>,
      ...(isMembers(found['dns']) && { dns: found['dns'] }),
      digest: textOf(found['digest']),
    };
  } catch {
    return undefined;
  }
}

/** The pod as it was before an injection: all that was added is taken out, by its names. */
export function takeOut(pod: PodBody, status: InjectStatus): PodBody {
  const { [statusName]: _, ...annotations } = textsIn(pod.metadata['annotations']);
  const metadata = withMap(withMap(pod.metadata, 'annotations', annotations), 'labels', {
    ...without(textsIn(pod.metadata['labels']), status.labels),
  });
  let spec = putProbesBack(pod.spec, status.probes);
  for (const [list, names] of [
    ['containers', status.containers],
    ['initContainers', status.initContainers],
    ['volumes', status.volumes],
  ] as const)
    spec = withList(spec, list, (item) => !names.includes(textOf(item['name'])));
  if (status.sysctls.length > 0) {
    const context = withList(
      membersIn(spec['securityContext']),
      'sysctls',
      (item) => !status.sysctls.includes(textOf(item['name'])),
    );
    spec = withMap(spec, 'securityContext', context);
  }
  if (status.dns !== undefined) {
    const { dnsPolicy: _policy, dnsConfig: _config, ...others } = spec;
    spec = { ...others, ...status.dns };
  }
  return { metadata, spec };
}

/** Whether all that was added is still there, unchanged as far as names go. */
export function isWhole({ spec }: PodBody, status: InjectStatus): boolean {
  const has = (list: string, names: readonly string[]): boolean => {
    const there = new Set(objectsIn(spec[list]).map(({ name }) => textOf(name)));
    return names.every((name) => there.has(name));
  };
  const isLed = Object.keys(status.probes).every((key) => {
    const [name, kind = ''] = key.split('/');
    const containers = [...objectsIn(spec['containers']), ...objectsIn(spec['initContainers'])];
    const probe = containers.find((each) => each['name'] === name)?.[kind];
    const path = membersIn(membersIn(probe)['httpGet'])['path'];
    return !(probeNames as readonly string[]).includes(kind) || textOf(path).startsWith('/app-health/');
  });
  return (
    isLed &&
    has('containers', status.containers) &&
    has('initContainers', status.initContainers) &&
    has('volumes', status.volumes)
  );
}

function withList(
  object: JsonMembers,
  name: string,
  keep: (item: JsonMembers) => boolean,
): Readonly<Record<string, Json | undefined>> {
  if (object[name] === undefined) return object;
  const { [name]: list, ...others } = object;
  const kept = objectsIn(list).filter(keep);
  return kept.length === 0 ? others : { ...others, [name]: kept };
}

/** Without the map where it is empty. */
function withMap(object: JsonMembers, name: string, map: JsonMembers): JsonMembers {
  const { [name]: _, ...others } = object;
  return Object.keys(map).length === 0 ? others : { ...others, [name]: map };
}

function without(map: JsonMembers, names: readonly string[]): JsonMembers {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}
