import {
  RBAC_Action as Action,
  type RBACSchema,
  type PolicySchema,
} from '../../gen/envoy/config/rbac/v3/rbac_pb.ts';
import type { Among, MeshPolicy, PolicyRule } from '../../model/policy.ts';
import type { Init } from './message.ts';
import type { Report } from './plane.ts';
import { conditionPrincipals, conditionPermissions, isDestinationKey } from './rbac-condition.ts';
import { operationPermission } from './rbac-operation.ts';
import { anyPermission, anyPrincipal, type Permission, type Principal } from './rbac-parts.ts';
import { sourcePrincipal } from './rbac-source.ts';

/** What a policy is translated for. */
export interface RbacContext {
  /** TCP has no methods, paths, headers or tokens. */
  readonly isHttp: boolean;
  readonly report: Report;
}

/** The rules of one action in the order of Istio: DENY, then ALLOW, then AUDIT; CUSTOM is asked before all of them. */
export interface RbacRules {
  readonly rules: Init<typeof RBACSchema> | undefined;
  /** Of policies that only tell. */
  readonly shadow: Init<typeof RBACSchema> | undefined;
}

type RbacAction = Exclude<MeshPolicy['action'], 'custom'>;

const actions: Readonly<Record<RbacAction, Action>> = {
  allow: Action.ALLOW,
  deny: Action.DENY,
  audit: Action.LOG,
};

/**
 * The policies of one action as a filter's rules; undefined where there is none. With an ALLOW policy what matches none
 * is denied: so it is written even if nothing of it can ever match.
 */
export function rbacRules(
  policies: readonly MeshPolicy[],
  action: RbacAction,
  context: RbacContext,
): RbacRules {
  const own = policies.filter((policy) => policy.action === action);
  return {
    rules: rulesOf(
      own.filter(({ dryRun }) => dryRun !== true),
      action,
      context,
    ),
    shadow: rulesOf(
      own.filter(({ dryRun }) => dryRun === true),
      action,
      context,
    ),
  };
}

function rulesOf(
  policies: readonly MeshPolicy[],
  action: RbacAction,
  context: RbacContext,
): Init<typeof RBACSchema> | undefined {
  if (policies.length === 0) return undefined;
  const entries: Record<string, Init<typeof PolicySchema>> = {};
  for (const policy of policies)
    for (const [at, rule] of policy.rules.entries()) {
      const translated = policyOf(rule, action, { ...context, origin: `AuthorizationPolicy ${policy.name}` });
      if (translated !== undefined) entries[`${policy.name}[${at}]`] = translated;
    }
  return { action: actions[action], policies: entries };
}

/**
 * One rule. A rule about HTTP never holds for TCP: as ALLOW it is left out, and as DENY its conditions on HTTP are, so
 * that it denies more instead of nothing. That is Istio's choice too.
 */
function policyOf(
  rule: PolicyRule,
  action: RbacAction,
  context: RbacContext & { readonly origin: string },
): Init<typeof PolicySchema> | undefined {
  const { isHttp } = context;
  if (!isHttp && needsHttp(rule) && action !== 'deny') {
    context.report({
      plane: 'envoy',
      origin: context.origin,
      what: `conditions on HTTP for a port of TCP (${action})`,
      instead: 'the rule never matches there',
    });
    return undefined;
  }
  const kept = isHttp ? rule : withoutHttp(rule);
  const isAboutUs = ({ key }: { readonly key: string }): boolean => isDestinationKey(key);
  const permissions = kept.to.length === 0 ? [anyPermission] : kept.to.map(operationPermission);
  const principals = kept.from.length === 0 ? [anyPrincipal] : kept.from.map(sourcePrincipal);
  const onUs = kept.when.filter(isAboutUs).flatMap(conditionPermissions);
  const onCaller = kept.when.filter((condition) => !isAboutUs(condition)).flatMap(conditionPrincipals);
  return {
    permissions: permissions.map((each): Permission => allPermissions([each, ...onUs])),
    principals: principals.map((each): Principal => allPrincipals([each, ...onCaller])),
  };
}

function allPermissions(rules: readonly Permission[]): Permission {
  return { rule: { case: 'andRules', value: { rules: [...rules] } } };
}

function allPrincipals(ids: readonly Principal[]): Principal {
  return { identifier: { case: 'andIds', value: { ids: [...ids] } } };
}

function needsHttp({ from, to, when }: PolicyRule): boolean {
  return (
    from.some(({ requestPrincipals, remoteIpBlocks }) => said(requestPrincipals) || said(remoteIpBlocks)) ||
    to.some(({ hosts, methods, paths }) => said(hosts) || said(methods) || said(paths)) ||
    when.some(({ key }) => isHttpKey(key))
  );
}

function withoutHttp({ from, to, when }: PolicyRule): PolicyRule {
  return {
    from: from.map(({ requestPrincipals: _, remoteIpBlocks: __, ...rest }) => rest),
    to: to.map(({ ports }) => (ports === undefined ? {} : { ports })),
    when: when.filter(({ key }) => !isHttpKey(key)),
  };
}

function isHttpKey(key: string): boolean {
  return key.startsWith('request.') || key === 'remote.ip';
}

function said(among: Among | undefined): boolean {
  return among !== undefined && among.values.length + among.notValues.length > 0;
}
