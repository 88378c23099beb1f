import { mutualTlsFor } from '../../authorization/index.ts';
import type { AuthorizationSource, Path, ResourceOf } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

type Policy = ResourceOf<'AuthorizationPolicy'>;

/** Whom AuthorizationPolicies name: namespaces and accounts that exist, identities that mTLS or tokens can give. */
export const authorizationCallers: Check = (inventory, tell) => {
  for (const policy of inventory.of('AuthorizationPolicy')) {
    const needs: Needs = { mtls: [], token: [] };
    for (const [index, rule] of (policy.spec.rules ?? []).entries()) {
      for (const [number, { source }] of (rule.from ?? []).entries()) {
        if (source === undefined) continue;
        const at: Path = ['spec', 'rules', index, 'from', number, 'source'];
        checkSource(policy, source, at, inventory, tell);
        gather(source, at, needs);
      }
      for (const [number, { key }] of (rule.when ?? []).entries()) {
        const at: Path = ['spec', 'rules', index, 'when', number];
        if (key.startsWith('source.') && key !== 'source.ip') needs.mtls.push(at);
        if (key.startsWith('request.auth.')) needs.token.push(at);
      }
    }
    checkMutualTls(policy, needs.mtls, inventory, tell);
    checkTokens(policy, needs.token, inventory, tell);
  }
};

/** The places that ask for an identity of each kind. */
interface Needs {
  readonly mtls: Path[];
  readonly token: Path[];
}

const byCertificate = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'] as const;

function gather(source: AuthorizationSource, at: Path, needs: Needs): void {
  for (const field of byCertificate) if (source[field] !== undefined) needs.mtls.push([...at, field]);
  for (const field of ['notPrincipals', 'notNamespaces', 'notServiceAccounts', 'notTrustDomains'] as const) {
    if (source[field] !== undefined) needs.mtls.push([...at, field]);
  }
  if (source.requestPrincipals !== undefined) needs.token.push([...at, 'requestPrincipals']);
}

/** `*` is anything; `a*` and `*a` are told by their beginning and end. */
function textPattern(written: string): (text: string) => boolean {
  if (written === '*') return () => true;
  if (written.endsWith('*')) return (text) => text.startsWith(written.slice(0, -1));
  return written.startsWith('*') ? (text) => text.endsWith(written.slice(1)) : (text) => text === written;
}

function checkSource(
  policy: Policy,
  source: AuthorizationSource,
  at: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  for (const field of ['namespaces', 'notNamespaces'] as const) {
    for (const [index, namespace] of (source[field] ?? []).entries()) {
      const isKnown = textPattern(namespace);
      if ([...inventory.namespaces].some(isKnown)) continue;
      tell('NAMESPACE_NOT_FOUND', policy, [...at, field, index], `there is no namespace "${namespace}"`);
    }
  }
  for (const field of ['principals', 'notPrincipals'] as const) {
    for (const [index, principal] of (source[field] ?? []).entries()) {
      const [, namespace, account] = /^[^*]+\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(principal) ?? [];
      if (account === undefined || inventory.hasAccount(`${namespace}/${account}`)) continue;
      tell(
        'SERVICE_ACCOUNT_NOT_FOUND',
        policy,
        [...at, field, index],
        `nothing runs as ${namespace}/${account}`,
      );
    }
  }
  for (const [index, written] of (source.serviceAccounts ?? []).entries()) {
    const account = written.includes('/') ? written : `${policy.metadata.namespace}/${written}`;
    if (inventory.hasAccount(account)) continue;
    tell(
      'SERVICE_ACCOUNT_NOT_FOUND',
      policy,
      [...at, 'serviceAccounts', index],
      `nothing runs as ${account}`,
    );
  }
}

/** What a workload takes by mTLS, or its namespace where none is known. */
function checkMutualTls(policy: Policy, places: readonly Path[], inventory: Inventory, tell: Tell): void {
  if (places.length === 0) return;
  const { metadata, spec } = policy;
  const everywhere = metadata.namespace === inventory.root ? undefined : metadata.namespace;
  const labels = spec.selector?.matchLabels ?? {};
  const selected = inventory.selected(labels, everywhere);
  const subjects = selected.length > 0 ? selected : [{ namespace: metadata.namespace, labels }];
  const modes = subjects.map((each) => mutualTlsFor(inventory.resources, each, 0, inventory.scope));
  if (modes.every((mode) => mode === 'strict')) return;
  const disabled = modes.every((mode) => mode === 'disable');
  for (const path of places) {
    const message = disabled
      ? 'mTLS is disabled for these workloads'
      : 'the workloads take plaintext as well';
    tell(disabled ? 'NEEDS_MTLS_BUT_DISABLED' : 'NEEDS_MTLS', policy, path, message);
  }
}

function checkTokens(policy: Policy, places: readonly Path[], inventory: Inventory, tell: Tell): void {
  if (places.length === 0) return;
  const { metadata, spec } = policy;
  const wanted = Object.entries(spec.selector?.matchLabels ?? {});
  const about = inventory.of('RequestAuthentication').some(({ metadata: other, spec: tokens }) => {
    const near = other.namespace === metadata.namespace || other.namespace === inventory.root;
    const labels = Object.entries(tokens.selector?.matchLabels ?? {});
    return (
      near && labels.every(([key, value]) => wanted.every(([name, own]) => name !== key || own === value))
    );
  });
  if (about) return;
  for (const path of places) {
    tell('NEEDS_REQUEST_AUTHENTICATION', policy, path, 'no RequestAuthentication is about these workloads');
  }
}
