import type { PolicyCondition } from '../../model/policy.ts';
import { portPermission } from './rbac-operation.ts';
import { type Permission, permissionsAmong, type Principal, principalsAmong } from './rbac-parts.ts';
import {
  accountPrincipal,
  addressRange,
  namespacePrincipal,
  peerAddress,
  peerPrincipal,
  remoteAddress,
  requestPrincipal,
  token,
} from './rbac-source.ts';
import { policyHeader, policyText } from './rbac-text.ts';

/** True for conditions on what is called; the others are on who calls. */
export function isDestinationKey(key: string): boolean {
  return key.startsWith('destination.') || key === 'connection.sni';
}

/** A condition on what is called. */
export function conditionPermissions(condition: PolicyCondition): Permission[] {
  const { key } = condition;
  if (key === 'destination.port') return permissionsAmong(condition, portPermission);
  if (key === 'destination.ip')
    return permissionsAmong(condition, (value) => ({
      rule: { case: 'destinationIp', value: addressRange(value) },
    }));
  return permissionsAmong(condition, (value) => ({
    rule: { case: 'requestedServerName', value: policyText(value) },
  }));
}

const byKey: Readonly<Record<string, (value: string) => Principal>> = {
  'source.ip': peerAddress,
  'remote.ip': remoteAddress,
  'source.namespace': namespacePrincipal,
  'source.principal': peerPrincipal,
  'source.serviceAccount': accountPrincipal,
  'request.auth.principal': requestPrincipal,
  'request.auth.audiences': (value) => token(['aud'], policyText(value)),
  'request.auth.presenter': (value) => token(['azp'], policyText(value)),
};

/** A condition on who calls. A key that is not known has been refused before; here it would match nobody. */
export function conditionPrincipals(condition: PolicyCondition): Principal[] {
  const { key } = condition;
  const known = byKey[key];
  if (known !== undefined) return principalsAmong(condition, known);
  const bracketed = [...key.matchAll(/\[([^\]]*)\]/g)].map(([, name = '']) => name);
  if (key.startsWith('request.headers['))
    return principalsAmong(condition, (value) => ({
      identifier: { case: 'header', value: policyHeader((bracketed[0] ?? '').toLowerCase(), value) },
    }));
  if (key.startsWith('request.auth.claims['))
    return principalsAmong(condition, (value) => token(bracketed, policyText(value)));
  return [{ identifier: { case: 'notId', value: { identifier: { case: 'any', value: true } } } }];
}
