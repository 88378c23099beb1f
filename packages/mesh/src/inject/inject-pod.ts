import { createHash } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { leadProbes, type ProbeWay } from './app-probes.ts';
import { decideInjection, type Surroundings } from './inject-decision.ts';
import type { InjectSettings, ProxyKind } from './inject-settings.ts';
import { type InjectStatus, isWhole, statusName, statusOf, takeOut } from './inject-status.ts';
import { type JsonMembers, membersIn, objectsIn, textOf } from './json-value.ts';
import type { PodPlace } from './pod-places.ts';
import type { PodBody } from './pod-body.ts';
import { podWishes, type PodWishes } from './pod-wishes.ts';
import { ownDns, sidecarContainer, sidecarVolumes } from './sidecar-container.ts';
import type { SidecarSubject } from './sidecar-subject.ts';

/** What came of a pod. */
export interface InjectedPod {
  readonly body: PodBody;
  /** `kept`: it has the sidecar that it would get. */
  readonly outcome: 'injected' | 'kept' | 'left';
  /** Why it was left, and what of its annotations has no effect. */
  readonly notes: readonly string[];
}

const canProbe: Readonly<Record<ProxyKind, readonly ProbeWay[]>> = {
  // It verifies whom it speaks TLS with, and the kubelet does not.
  heddle: ['httpGet', 'tcpSocket', 'grpc'],
  // A TCP port of Envoy's is open whether or not the application's is, and it does not ask gRPC by itself.
  envoy: ['httpGet', 'https'],
};
// Ports below 1024 without a privilege: one of the settings that Kubernetes calls safe.
const anyPort = { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' };
/** The label by which callers know that a workload takes mesh TLS; Istio's. */
const tlsLabel = 'security.istio.io/tlsMode';

/**
 * Gives a pod its sidecar, or leaves it: done twice it is as done once, and done with other settings as if done with
 * those alone. Throws `invalid_argument` / `BAD_ANNOTATION` for what annotations ask for wrongly.
 */
export function injectPod(
  place: Pick<PodPlace, 'body' | 'subject' | 'workload'>,
  around: Surroundings,
  settings: InjectSettings,
): InjectedPod {
  const { body: given, subject } = place;
  const earlier = statusOf(given);
  const pod = earlier === undefined ? given : takeOut(given, earlier);
  const decision = decideInjection(pod, around);
  if (!decision.inject) {
    const told = `${subject}: no sidecar: ${decision.why}`;
    return { body: pod, outcome: 'left', notes: [told] };
  }
  const wishes = podWishes(pod.metadata, settings, subject);
  if (settings.proxy === 'envoy' && !wishes.native && wishes.hold) throw cannotHold(subject);
  const led = wishes.rewriteProbes ? leadProbes(pod.spec, canProbe[settings.proxy]) : undefined;
  const made = withSidecar(
    { metadata: pod.metadata, spec: led?.spec ?? pod.spec },
    {
      settings,
      wishes,
      namespace: around.namespace,
      workload: place.workload.name,
      serviceAccount: textOf(pod.spec['serviceAccountName'] ?? 'default'),
      probes: led?.probes.asked ?? {},
    },
    led?.probes.originals ?? {},
  );
  const notes = [...wishes.notes, ...(led?.probes.notes ?? []), ...silent(wishes, settings)].map(
    (note) => `${subject}: ${note}`,
  );
  // An API server has filled in what was left out: the same is known by its digest, not by how it looks.
  const isSame =
    earlier !== undefined && earlier.digest === statusOf(made)?.digest && isWhole(given, earlier);
  return isSame ? { body: given, outcome: 'kept', notes } : { body: made, outcome: 'injected', notes };
}

/** What was asked for that this proxy does not have. */
function silent({ logLevel, drainSeconds }: PodWishes, { proxy }: InjectSettings): readonly string[] {
  if (proxy === 'envoy') return [];
  const told = (what: string): string => `${what} has no effect on this proxy`;
  return [
    ...(logLevel === undefined ? [] : [told('sidecar.istio.io/logLevel')]),
    ...(drainSeconds === undefined ? [] : [told('terminationDrainDuration')]),
  ];
}

function withSidecar(pod: PodBody, subject: SidecarSubject, probes: InjectStatus['probes']): PodBody {
  const container = sidecarContainer(subject);
  const { native } = subject.wishes;
  const list = native ? 'initContainers' : 'containers';
  const volumes = sidecarVolumes(subject);
  const labels = membersIn(pod.metadata['labels']);
  const context = membersIn(pod.spec['securityContext']);
  const sysctls = objectsIn(context['sysctls']);
  const needsPorts = !sysctls.some(({ name }) => name === anyPort.name);
  const needsLabel = labels[tlsLabel] === undefined;
  const name = textOf(container['name']);
  const dns = dnsOf(pod.spec, subject);
  const status: Omit<InjectStatus, 'digest'> = {
    containers: native ? [] : [name],
    initContainers: native ? [name] : [],
    volumes: volumes.map((each) => textOf(each['name'])),
    labels: needsLabel ? [tlsLabel] : [],
    sysctls: needsPorts ? [anyPort.name] : [],
    probes,
    ...(dns !== undefined && { dns: dnsBefore(pod.spec) }),
  };
  const digest = createHash('sha256')
    .update(JSON.stringify([container, volumes, status, dns]))
    .digest('hex');
  return {
    metadata: {
      ...pod.metadata,
      ...(needsLabel && { labels: { ...labels, [tlsLabel]: 'istio' } }),
      annotations: {
        ...membersIn(pod.metadata['annotations']),
        [statusName]: JSON.stringify({ ...status, digest: digest.slice(0, 16) }),
      },
    },
    spec: {
      ...pod.spec,
      [list]: [container, ...objectsIn(pod.spec[list])],
      ...(volumes.length > 0 && { volumes: [...objectsIn(pod.spec['volumes']), ...volumes] }),
      ...(needsPorts && { securityContext: withSysctls(context, [...sysctls, anyPort]) }),
      ...dns,
    },
  };
}

/**
 * The pod asks its sidecar for names, with the same search domains as before. A pod with a DNS of its own choice is left
 * with it.
 */
function dnsOf(spec: JsonMembers, { settings, namespace }: SidecarSubject): JsonMembers | undefined {
  const { proxy, dnsServer } = settings;
  const { dnsPolicy = 'ClusterFirst', dnsConfig } = spec;
  if (
    proxy !== 'heddle' ||
    dnsServer === undefined ||
    dnsPolicy !== 'ClusterFirst' ||
    dnsConfig !== undefined
  )
    return undefined;
  const searches = [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'];
  const options = [{ name: 'ndots', value: '5' }];
  return { dnsPolicy: 'None', dnsConfig: { nameservers: [ownDns], searches, options } };
}

function dnsBefore({ dnsPolicy, dnsConfig }: JsonMembers): JsonMembers {
  return { ...(dnsPolicy !== undefined && { dnsPolicy }), ...(dnsConfig !== undefined && { dnsConfig }) };
}

function withSysctls(context: JsonMembers, sysctls: readonly JsonMembers[]): JsonMembers {
  return { ...context, sysctls };
}

function cannotHold(subject: string): HeddleError {
  const message =
    `${subject}: expected nativeSidecar "true" or holdApplicationUntilProxyStarts: false, found neither: ` +
    'the image of Envoy has nothing that could wait beside the application';
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_ANNOTATION', message, sent: false });
}
