import { forbidden, type Identity } from '../identity.ts';

/** Who may do what. A request needs one rule that admits it; without rules it needs none. */
export interface AccessRule {
  /** Admits, or refuses although others admit. */
  readonly effect: 'allow' | 'deny';
  /** Of the request; empty: any. */
  readonly methods: readonly string[];
  /** Prefixes on segment borders, of the path in normal form; empty: any. */
  readonly paths: readonly string[];
  /** One of them is needed; empty: none. */
  readonly roles: readonly string[];
  /** All of them are needed; empty: none. */
  readonly scopes: readonly string[];
  /** One of them; empty: anybody. */
  readonly subjects: readonly string[];
}

/** What rules look at. */
export interface AccessRequest {
  readonly method: string;
  /** In the one normal form that is also sent on, without query. */
  readonly path: string;
  readonly identity: Identity | undefined;
}

/** Throws `permission_denied` / `FORBIDDEN` if a rule denies, or none admits where there are any that admit. */
export function checkAccess(rules: readonly AccessRule[], request: AccessRequest): void {
  let needed = false;
  let admitted = false;
  for (const rule of rules) {
    const fits = applies(rule, request);
    if (rule.effect === 'deny' && fits) throw forbidden('a rule denies it');
    if (rule.effect === 'allow') needed = true;
    if (rule.effect === 'allow' && fits) admitted = true;
  }
  if (needed && !admitted) throw forbidden('no rule admits it');
}

function applies(rule: AccessRule, { method, path, identity }: AccessRequest): boolean {
  const { methods, paths, roles, scopes, subjects } = rule;
  if (methods.length > 0 && !methods.includes(method)) return false;
  if (paths.length > 0 && !paths.some((prefix) => isBelow(path, prefix))) return false;
  if (roles.length > 0 && !roles.some((role) => identity?.roles.includes(role))) return false;
  if (!scopes.every((scope) => identity?.scopes.includes(scope))) return false;
  return subjects.length === 0 || (identity !== undefined && subjects.includes(identity.subject));
}

function isBelow(path: string, prefix: string): boolean {
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path === base || path.startsWith(`${base}/`);
}
