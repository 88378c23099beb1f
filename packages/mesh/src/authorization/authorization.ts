import type { MeshPolicy } from '../model/index.ts';
import type { RequestTest } from './attribute.ts';
import type { AuthorizationRequest } from './request.ts';
import { ruleTest, type RuleUse } from './rule-test.ts';

/** Why a request may pass or not. */
export type VerdictReason =
  /** No ALLOW policy is about the workload, and none denies. */
  | 'nothing-applies'
  | 'allowed'
  | 'denied'
  /** There are ALLOW policies, and none of them matches. */
  | 'not-allowed'
  /** The provider of a CUSTOM policy said no, or could not be asked. */
  | 'custom-denied';

/** What becomes of a request. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: VerdictReason;
  /** The policy that decided, as `namespace/name`; empty where none did. */
  readonly policy: string;
  /** The AUDIT policies that match. */
  readonly audited: readonly string[];
  /** What it would be if policies in dry run were enforced; undefined where there are none. */
  readonly dryRun?: Pick<Verdict, 'allowed' | 'reason' | 'policy'>;
}

/** Decides about requests to one workload. */
export interface Authorization {
  /** The providers that must be asked before `decide`, each once: a request matches a CUSTOM policy of theirs. */
  readonly toAsk: (request: AuthorizationRequest) => readonly string[];
  /** `answers`: what the providers said; one that is not there has said no. */
  readonly decide: (request: AuthorizationRequest, answers?: ReadonlyMap<string, boolean>) => Verdict;
}

const noAnswers: ReadonlyMap<string, boolean> = new Map();
const none: readonly string[] = [];

/**
 * The decision of some policies, exactly as Istio documents it: CUSTOM, then DENY, then ALLOW; an ALLOW policy that
 * is there and does not match denies; AUDIT only tells; a dry run changes nothing. Compiled once for many requests.
 * `http`: whether the port carries HTTP; without it a DENY rule's HTTP questions are left out, an ALLOW rule's make
 * it match nothing.
 */
export function authorization(policies: readonly MeshPolicy[], http = true): Authorization {
  const enforced = layersOf(
    policies.filter(({ dryRun }) => dryRun !== true),
    http,
  );
  const withDryRun = policies.some(({ dryRun }) => dryRun === true) ? layersOf(policies, http) : undefined;
  return {
    toAsk: (request) => {
      const asked = enforced.custom.filter(({ test }) => test(request)).map(({ provider }) => provider);
      return asked.length < 2 ? asked : [...new Set(asked)];
    },
    decide(request, answers = noAnswers) {
      const verdict = decideBy(enforced, request, answers);
      const matching = enforced.audit.filter(({ test }) => test(request));
      const audited = matching.length === 0 ? none : matching.map(({ name }) => name);
      const dryRun = withDryRun && decideBy(withDryRun, request, answers);
      return { ...verdict, audited, ...(dryRun !== undefined && { dryRun }) };
    },
  };
}

interface Compiled {
  readonly name: string;
  readonly provider: string;
  readonly test: RequestTest;
}

type Layers = Readonly<Record<MeshPolicy['action'], readonly Compiled[]>>;

function layersOf(policies: readonly MeshPolicy[], http: boolean): Layers {
  const of = (action: MeshPolicy['action']): readonly Compiled[] =>
    policies.filter((policy) => policy.action === action).map((policy) => compile(policy, http));
  return { custom: of('custom'), deny: of('deny'), allow: of('allow'), audit: of('audit') };
}

function compile({ name, provider = '', action, rules }: MeshPolicy, http: boolean): Compiled {
  const use: RuleUse = { http, doubt: action === 'allow' ? 'narrow' : 'widen' };
  const tests = rules.map((rule) => ruleTest(rule, use)).filter((test) => test !== undefined);
  return { name, provider, test: (request) => tests.some((test) => test(request)) };
}

function decideBy(
  { custom, deny, allow }: Layers,
  request: AuthorizationRequest,
  answers: ReadonlyMap<string, boolean>,
): Pick<Verdict, 'allowed' | 'reason' | 'policy'> {
  const refused = custom.find(({ test, provider }) => test(request) && answers.get(provider) !== true);
  if (refused !== undefined) return { allowed: false, reason: 'custom-denied', policy: refused.name };
  const denying = deny.find(({ test }) => test(request));
  if (denying !== undefined) return { allowed: false, reason: 'denied', policy: denying.name };
  if (allow.length === 0) return { allowed: true, reason: 'nothing-applies', policy: '' };
  const allowing = allow.find(({ test }) => test(request));
  if (allowing !== undefined) return { allowed: true, reason: 'allowed', policy: allowing.name };
  return { allowed: false, reason: 'not-allowed', policy: '' };
}
