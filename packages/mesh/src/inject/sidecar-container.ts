import { accountTokenAudience } from '../plane/account-token.ts';
import { envoyArguments } from './envoy-bootstrap.ts';
import { controlPlaneRootsFile, healthPort, sidecarName, type SidecarResources } from './inject-settings.ts';
import type { JsonMembers } from './json-value.ts';
import type { SidecarSubject } from './sidecar-subject.ts';

const readyPath = '/healthz/ready';
/** Where a sidecar answers for names, which is where its pod asks. */
export const ownDns = '127.0.0.1';

/** The container of a sidecar: as a container that stays among the init containers, or as one beside the others. */
export function sidecarContainer(subject: SidecarSubject): JsonMembers {
  const { settings, wishes } = subject;
  const ready = { httpGet: { path: readyPath, port: healthPort }, periodSeconds: 1 };
  const isEnvoy = settings.proxy === 'envoy';
  return {
    name: sidecarName,
    image: wishes.image,
    args: isEnvoy ? envoyArguments(subject) : heddleArguments(subject),
    env: environment(subject),
    ports: [{ name: 'sidecar-health', containerPort: healthPort, protocol: 'TCP' }],
    ...(wishes.native && { restartPolicy: 'Always' }),
    // Whatever stays among the init containers holds those after it until it has started.
    ...(wishes.native && wishes.hold && { startupProbe: { ...ready, failureThreshold: 600 } }),
    readinessProbe: { ...ready, periodSeconds: 15, failureThreshold: 4, timeoutSeconds: 3 },
    ...(!wishes.native && wishes.hold && { lifecycle: { postStart: { exec: { command: waitCommand } } } }),
    resources: resourcesOf(wishes.resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: isEnvoy ? 1337 : 65_532,
      runAsNonRoot: true,
      runAsUser: isEnvoy ? 1337 : 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(mountsOf(subject).length > 0 && { volumeMounts: mountsOf(subject) }),
  };
}

/** The volumes that it needs of its own. */
export function sidecarVolumes({ settings, wishes }: SidecarSubject): readonly JsonMembers[] {
  // The last good configuration and what a replaced process still needs; the rest of its file system cannot be written.
  const own = settings.proxy === 'heddle' ? [{ name: `${sidecarName}-data`, emptyDir: {} }] : [];
  const roots = settings.controlPlaneRoots;
  return [
    ...own,
    ...(settings.accountTokens === true ? [tokenVolume] : []),
    ...(roots === undefined ? [] : [rootsVolume(roots)]),
    ...wishes.volumes,
  ];
}

/** The whole folder is mounted: what is mounted as a single file is not renewed. */
function rootsVolume({ name, key }: { readonly name: string; readonly key: string }): JsonMembers {
  const path = controlPlaneRootsFile.slice(rootsFolder.length + 1);
  return { name: rootsVolumeName, configMap: { name, items: [{ key, path }] } };
}

const rootsVolumeName = `${sidecarName}-roots`;
const rootsFolder = controlPlaneRootsFile.slice(0, controlPlaneRootsFile.lastIndexOf('/'));
const tokenFolder = '/var/run/secrets/heddle';
const tokenFile = 'token';
/** Good for an hour, and renewed by the kubelet long before; for nobody but the control plane. */
const tokenVolume = {
  name: `${sidecarName}-token`,
  projected: {
    sources: [
      { serviceAccountToken: { audience: accountTokenAudience, expirationSeconds: 3600, path: tokenFile } },
    ],
  },
};

function mountsOf({ settings, wishes }: SidecarSubject): readonly JsonMembers[] {
  const own = settings.proxy === 'heddle' ? [{ name: `${sidecarName}-data`, mountPath: '/data' }] : [];
  const token = { name: tokenVolume.name, mountPath: tokenFolder, readOnly: true };
  const roots = { name: rootsVolumeName, mountPath: rootsFolder, readOnly: true };
  return [
    ...own,
    ...(settings.accountTokens === true ? [token] : []),
    ...(settings.controlPlaneRoots === undefined ? [] : [roots]),
    ...wishes.volumeMounts,
  ];
}

function heddleArguments({ settings, workload }: SidecarSubject): readonly string[] {
  const { host, port } = settings.controlPlane;
  const { dnsServer } = settings;
  return [
    'sidecar',
    '--control-plane',
    `${settings.controlPlaneRoots === undefined ? '' : 'https://'}${host}:${port}`,
    '--workload',
    `$(POD_NAMESPACE)/${workload}`,
    // The application has the same ports on loopback.
    '--inbound',
    '$(POD_IP)',
    ...(dnsServer === undefined
      ? ['--dns', 'off']
      : ['--dns', `${ownDns}:53`, '--dns-upstream', `${dnsServer}:53`]),
    '--health',
    `0.0.0.0:${healthPort}`,
    '--data',
    '/data',
    ...(settings.accountTokens === true ? ['--token-file', `${tokenFolder}/${tokenFile}`] : []),
  ];
}

function environment(subject: SidecarSubject): readonly JsonMembers[] {
  const { settings, wishes, probes, serviceAccount } = subject;
  const { name: secret, key } = settings.tokenSecret;
  const field = (name: string, fieldPath: string): JsonMembers => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  const own: JsonMembers[] = [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('POD_IP', 'status.podIP'),
    field('POD_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
  ];
  // Of the pod's own namespace: without the secret the pod waits, and says so.
  if (settings.accountTokens !== true)
    own.push({
      name: 'HEDDLE_MESH_TOKEN',
      valueFrom: { secretKeyRef: { key, name: secret.replaceAll('{serviceAccount}', serviceAccount) } },
    });
  if (settings.proxy === 'heddle') {
    if (settings.controlPlaneRoots !== undefined)
      own.push({ name: 'HEDDLE_ROOTS', value: controlPlaneRootsFile });
    if (Object.keys(probes).length > 0)
      own.push({ name: 'HEDDLE_APP_PROBES', value: escaped(JSON.stringify(probes)) });
  }
  const asked = Object.entries(wishes.environment).map(([name, value]) => ({ name, value: escaped(value) }));
  return [...own.filter(({ name }) => !asked.some((each) => each.name === name)), ...asked];
}

/** Kubernetes replaces `$(NAME)` in values. */
function escaped(text: string): string {
  return text.replaceAll('$(', '$$$$(');
}

function resourcesOf({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }: SidecarResources): JsonMembers {
  const requests = withoutUndefined({ cpu: cpuRequest, memory: memoryRequest });
  const limits = withoutUndefined({ cpu: cpuLimit, memory: memoryLimit });
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

function withoutUndefined(members: JsonMembers): JsonMembers {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

// The image has no shell, but it has Node. The kubelet starts the containers after this one once it has ended.
const waitCommand = [
  '/usr/local/bin/node',
  '--eval',
  `const ask = () => fetch('http://127.0.0.1:${healthPort}${readyPath}').then((r) => r.ok || again(), again);
const again = () => setTimeout(ask, 100);
ask();`,
];
