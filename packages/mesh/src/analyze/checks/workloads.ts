import type { Container, Path, PodSpec, Resource } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';

const proxyUser = 1337;

/** Workloads and namespaces as what injects sidecars sees them. */
export const workloads: Check = (inventory, tell) => {
  for (const pod of inventory.of('Pod')) checkUser(pod, pod.spec, ['spec'], tell);
  for (const workload of inventory.of('Workload'))
    checkUser(workload, workload.spec.template.spec ?? {}, ['spec', 'template', 'spec'], tell);
  for (const namespace of inventory.of('Namespace')) {
    const { labels } = namespace.metadata;
    const [injection, revision] = [labels['istio-injection'], labels['istio.io/rev']];
    if (injection !== 'enabled' || revision === undefined) continue;
    const message = `istio-injection says "${injection}", istio.io/rev "${revision}"`;
    tell('INJECTION_LABELS_CONFLICT', namespace, ['metadata', 'labels'], message);
  }
};

function checkUser(
  resource: Resource,
  { securityContext, containers = [] }: PodSpec,
  at: Path,
  tell: Tell,
): void {
  const say = (path: Path, what: string): void =>
    tell(
      'APPLICATION_AS_PROXY_USER',
      resource,
      [...path, 'securityContext', 'runAsUser'],
      `${what} runs as user ${proxyUser}`,
    );
  // A container says for itself; what it does not say is the pod's.
  const isApplication = ({ name }: Container): boolean => name !== 'istio-proxy' && name !== 'heddle-sidecar';
  for (const [index, container] of containers.entries()) {
    const user = container.securityContext?.runAsUser;
    if (user === proxyUser && isApplication(container))
      say([...at, 'containers', index], `the container ${container.name ?? index}`);
  }
  if (securityContext?.runAsUser === proxyUser) say(at, 'the pod');
}
