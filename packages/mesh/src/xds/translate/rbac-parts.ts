import type { PermissionSchema, PrincipalSchema } from '../../gen/envoy/config/rbac/v3/rbac_pb.ts';
import type { Among } from '../../model/policy.ts';
import type { Init } from './message.ts';

/** About what is called. */
export type Permission = Init<typeof PermissionSchema>;
/** About who calls. */
export type Principal = Init<typeof PrincipalSchema>;

/** Whatever is called. */
export const anyPermission: Permission = { rule: { case: 'any', value: true } };
/** Whoever calls. */
export const anyPrincipal: Principal = { identifier: { case: 'any', value: true } };

/** One of the values, and none of those that must not be. Nothing where nothing is said. */
export function permissionsAmong(
  among: Among | undefined,
  make: (value: string) => Permission,
): Permission[] {
  const { values = [], notValues = [] } = among ?? {};
  return [
    ...(values.length === 0 ? [] : [onePermission(values.map(make))]),
    ...(notValues.length === 0
      ? []
      : [{ rule: { case: 'notRule', value: onePermission(notValues.map(make)) } } satisfies Permission]),
  ];
}

/** As `permissionsAmong`. */
export function principalsAmong(among: Among | undefined, make: (value: string) => Principal): Principal[] {
  const { values = [], notValues = [] } = among ?? {};
  return [
    ...(values.length === 0 ? [] : [onePrincipal(values.map(make))]),
    ...(notValues.length === 0
      ? []
      : [{ identifier: { case: 'notId', value: onePrincipal(notValues.map(make)) } } satisfies Principal]),
  ];
}

function onePermission(rules: Permission[]): Permission {
  return rules.length === 1 && rules[0] !== undefined
    ? rules[0]
    : { rule: { case: 'orRules', value: { rules } } };
}

function onePrincipal(ids: Principal[]): Principal {
  return ids.length === 1 && ids[0] !== undefined
    ? ids[0]
    : { identifier: { case: 'orIds', value: { ids } } };
}
