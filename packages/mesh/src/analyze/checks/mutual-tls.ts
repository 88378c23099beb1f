import { mutualTlsFor } from '../../authorization/index.ts';
import type { ClientTls, MutualTlsMode, ResourceOf } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

/** Whether callers (DestinationRule) and services (PeerAuthentication) agree about mTLS. */
export const mutualTls: Check = (inventory, tell) => {
  for (const rule of inventory.of('DestinationRule')) {
    const mode = rule.spec.trafficPolicy?.tls?.mode;
    const reach = reachOf(rule);
    if (reach === undefined) checkOne(rule, mode, inventory, tell);
    else if (mode === 'ISTIO_MUTUAL') checkEnabling(rule, reach, inventory, tell);
    else if (mode === 'DISABLE') checkDisabling(rule, reach, inventory, tell);
    checkOverriding(rule, inventory, tell);
  }
  for (const peers of inventory.of('PeerAuthentication')) checkPeers(peers, inventory, tell);
};

type Rule = ResourceOf<'DestinationRule'>;
type Peers = ResourceOf<'PeerAuthentication'>;

/** The namespace that a wildcard host stands for, `*` for the whole mesh; undefined for a host of its own. */
function reachOf({ spec: { host } }: Rule): string | undefined {
  if (host === '*' || host === '*.local' || host === '*.svc.cluster.local' || host === '*.cluster.local')
    return '*';
  return /^\*\.([^.]+)\.svc\./.exec(host)?.[1];
}

/** What the PeerAuthentication without a selector of a namespace says. */
function saidOf(namespace: string, inventory: Inventory): MutualTlsMode | undefined {
  const found = inventory
    .of('PeerAuthentication')
    .find(({ metadata, spec }) => metadata.namespace === namespace && isForAll(spec));
  return found?.spec.mtls?.mode;
}

function isForAll({ selector }: Peers['spec']): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0;
}

const speaksMtls = (mode: MutualTlsMode | undefined): boolean => mode === 'STRICT' || mode === 'PERMISSIVE';

function checkEnabling(rule: Rule, reach: string, inventory: Inventory, tell: Tell): void {
  const path = ['spec', 'trafficPolicy', 'tls', 'mode'];
  const ofMesh = saidOf(inventory.root, inventory);
  if (reach === '*') {
    if (speaksMtls(ofMesh)) return;
    tell(
      'PEER_AUTHENTICATION_OF_MESH_MISSING',
      rule,
      path,
      `${inventory.root} has no PeerAuthentication that enables mTLS`,
    );
  } else if (!speaksMtls(saidOf(reach, inventory)) && !speaksMtls(ofMesh)) {
    const message = `neither ${reach} nor ${inventory.root} has a PeerAuthentication that enables mTLS`;
    tell('PEER_AUTHENTICATION_OF_NAMESPACE_MISSING', rule, path, message);
  }
}

function checkDisabling(rule: Rule, reach: string, inventory: Inventory, tell: Tell): void {
  const path = ['spec', 'trafficPolicy', 'tls', 'mode'];
  const said = reach === '*' ? undefined : saidOf(reach, inventory);
  if (said === 'STRICT') {
    tell(
      'MTLS_NAMESPACE_STRICT',
      rule,
      path,
      `the PeerAuthentication of ${reach} is STRICT, permissive is needed`,
    );
  } else if ((said === undefined || said === 'UNSET') && saidOf(inventory.root, inventory) === 'STRICT') {
    tell(
      'MTLS_MESH_STRICT',
      rule,
      path,
      'the PeerAuthentication of the mesh is STRICT, permissive is needed',
    );
  }
}

/** A rule of one host, against what the workloads behind it take. */
function checkOne(rule: Rule, mode: ClientTls['mode'], inventory: Inventory, tell: Tell): void {
  const service = inventory.directory.find(rule.spec.host, rule.metadata.namespace);
  if (service?.selector === undefined || (mode !== 'DISABLE' && mode !== 'ISTIO_MUTUAL')) return;
  const { namespace, ports } = service;
  for (const { labels, name } of inventory.selected(service.selector, namespace)) {
    const targets = ports.map(({ target, number }) => (typeof target === 'number' ? target : number));
    for (const port of targets.length === 0 ? [0] : targets) {
      const taken = mutualTlsFor(inventory.resources, { namespace, labels }, port, inventory.scope);
      const clash = mode === 'DISABLE' ? taken === 'strict' : taken === 'disable';
      if (!clash) continue;
      const message = `${mode} here, but ${namespace}/${name} takes ${taken === 'strict' ? 'mTLS only' : 'plaintext only'}`;
      tell('MTLS_CONFLICT', rule, ['spec', 'trafficPolicy', 'tls', 'mode'], message);
      return;
    }
  }
}

/** A narrower rule that says nothing about TLS takes away what a wider one says. */
function checkOverriding(rule: Rule, inventory: Inventory, tell: Tell): void {
  const { trafficPolicy, host } = rule.spec;
  const own =
    trafficPolicy?.tls ?? (trafficPolicy?.portLevelSettings ?? []).find(({ tls }) => tls !== undefined);
  if (own !== undefined || reachOf(rule) === '*') return;
  const full = inventory.directory.fullName(host, rule.metadata.namespace);
  const wider = inventory.of('DestinationRule').find((other) => {
    const reach = other === rule ? undefined : reachOf(other);
    const within =
      reach === '*' ? full.endsWith('.local') : reach !== undefined && full.includes(`.${reach}.svc.`);
    return within && other.spec.trafficPolicy?.tls?.mode === 'ISTIO_MUTUAL';
  });
  if (wider === undefined) return;
  const message = `${wider.metadata.namespace}/${wider.metadata.name} demands mTLS; this rule says nothing about TLS`;
  tell('TLS_OVERRIDDEN', rule, trafficPolicy === undefined ? ['spec'] : ['spec', 'trafficPolicy'], message);
}

function checkPeers(peers: Peers, inventory: Inventory, tell: Tell): void {
  const { metadata, spec } = peers;
  if (spec.portLevelMtls !== undefined) checkPorts(peers, inventory, tell);
  if (!isForAll(spec)) return;
  const ofMesh = metadata.namespace === inventory.root;
  const mode = spec.mtls?.mode;
  const path = ['spec', 'mtls', 'mode'];
  const about = inventory.of('DestinationRule').filter((rule) => {
    const reach = reachOf(rule);
    return reach === '*' || (!ofMesh && reach === metadata.namespace);
  });
  const says = (wanted: ClientTls['mode']): Rule | undefined =>
    about.find(({ spec: { trafficPolicy } }) => trafficPolicy?.tls?.mode === wanted);
  if (mode === 'STRICT' && says('ISTIO_MUTUAL') === undefined) {
    const code = ofMesh ? 'DESTINATION_RULE_OF_MESH_MISSING' : 'DESTINATION_RULE_OF_NAMESPACE_MISSING';
    tell(code, peers, path, 'there is no DestinationRule that enables mTLS');
  }
  const enabling = mode === 'DISABLE' && says('DISABLE') === undefined ? says('ISTIO_MUTUAL') : undefined;
  if (enabling !== undefined) {
    const code = ofMesh ? 'MTLS_MESH_DISABLED' : 'MTLS_NAMESPACE_DISABLED';
    tell(
      code,
      peers,
      path,
      `the DestinationRule ${enabling.metadata.namespace}/${enabling.metadata.name} enables mTLS`,
    );
  }
}

function checkPorts(peers: Peers, inventory: Inventory, tell: Tell): void {
  const { metadata, spec } = peers;
  const path = ['spec', 'portLevelMtls'];
  if (isForAll(spec)) {
    tell('PORT_MTLS_WITHOUT_SELECTOR', peers, path, 'the policy selects no workloads');
    return;
  }
  const selected = inventory.selected(spec.selector?.matchLabels, metadata.namespace);
  const known = selected.flatMap(({ ports }) => ports.map(({ number }) => number));
  for (const port of Object.keys(spec.portLevelMtls ?? {})) {
    if (known.length === 0 || known.includes(Number(port))) continue;
    tell(
      'PORT_MTLS_UNKNOWN_PORT',
      peers,
      [...path, port],
      `the workloads listen on ${known.join(', ')}, not on ${port}`,
    );
  }
}
