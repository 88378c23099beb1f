import type { ConfigProblem } from '../problem.ts';
import type { Place } from '../document.ts';

/** An AuthorizationPolicy or RequestAuthentication as it is written. */
export type PolicyResource = Readonly<Record<string, unknown>>;

/** Finds what is wrong with the policies in some files; nothing else in them is looked at. */
export type CheckPolicies = (
  files: readonly { readonly source: string; readonly content: string }[],
) => readonly ConfigProblem[];

/** True for what says who may come in the words of Istio. */
export function isPolicy(root: Place): boolean {
  const version = root.key('apiVersion')?.plain;
  const kind = root.key('kind')?.plain;
  return (
    typeof version === 'string' &&
    /^security\.istio\.io\/v1(beta1)?$/.test(version) &&
    (kind === 'AuthorizationPolicy' || kind === 'RequestAuthentication')
  );
}
