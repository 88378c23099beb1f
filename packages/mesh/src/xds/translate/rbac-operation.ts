import type { PolicyOperation } from '../../model/policy.ts';
import { anyPermission, type Permission, permissionsAmong } from './rbac-parts.ts';
import { policyHeader, policyPath } from './rbac-text.ts';

/** All that an operation says must hold. */
export function operationPermission({ hosts, methods, paths, ports }: PolicyOperation): Permission {
  const rules = [
    ...permissionsAmong(hosts, (value) => header(policyHeader(':authority', value, true))),
    ...permissionsAmong(methods, (value) => header(policyHeader(':method', value))),
    ...permissionsAmong(paths, pathPermission),
    ...permissionsAmong(ports, portPermission),
  ];
  return rules.length === 0 ? anyPermission : { rule: { case: 'andRules', value: { rules } } };
}

/** A port, in digits. */
export function portPermission(value: string): Permission {
  return { rule: { case: 'destinationPort', value: Number(value) } };
}

function pathPermission(value: string): Permission {
  return { rule: { case: 'urlPath', value: { rule: { case: 'path', value: policyPath(value) } } } };
}

function header(value: ReturnType<typeof policyHeader>): Permission {
  return { rule: { case: 'header', value } };
}
