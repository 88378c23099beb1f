import type { Among, PolicyOperation, PolicyRule, PolicySource } from '../model/index.ts';
import { attributeOf, type RequestTest } from './attribute.ts';

/** Where and for what a rule is tested. */
export interface RuleUse {
  /** The port carries HTTP. */
  readonly http: boolean;
  /**
   * What cannot be tested: `narrow` drops the rule that asks for it (ALLOW), `widen` the question alone, so that
   * more requests match (DENY, AUDIT, CUSTOM). Either way nobody gets in whom the rule would keep out.
   */
  readonly doubt: 'narrow' | 'widen';
}

const sourceKeys: Readonly<Record<keyof PolicySource, string>> = {
  principals: 'source.principal',
  requestPrincipals: 'request.auth.principal',
  namespaces: 'source.namespace',
  serviceAccounts: 'source.serviceAccount',
  trustDomains: 'source.trustDomain',
  ipBlocks: 'source.ip',
  remoteIpBlocks: 'remote.ip',
};

const operationKeys: Readonly<Record<keyof PolicyOperation, string>> = {
  hosts: 'request.host',
  ports: 'destination.port',
  methods: 'request.method',
  paths: 'request.path',
};

/** What a rule asks; undefined where it cannot be asked here and never matches therefore. */
export function ruleTest(rule: PolicyRule, use: RuleUse): RequestTest | undefined {
  const sources = rule.from.map((source) => fieldsTest(source, sourceKeys, use));
  const operations = rule.to.map((operation) => fieldsTest(operation, operationKeys, use));
  const conditions = rule.when.map(({ key, ...among }) => amongTest(key, among, use));
  // One part that cannot be asked makes the whole rule unusable, as in Istio, also beside other alternatives.
  const parts = [...sources, ...operations, ...conditions];
  if (parts.includes(undefined)) return undefined;
  return allOf([
    anyOf(sources as RequestTest[]),
    anyOf(operations as RequestTest[]),
    ...(conditions as RequestTest[]),
  ]);
}

function fieldsTest<T extends object>(
  fields: T,
  keys: Readonly<Record<keyof T, string>>,
  use: RuleUse,
): RequestTest | undefined {
  const tests = (Object.entries(fields) as [keyof T, Among][]).map(([name, among]) =>
    amongTest(keys[name], among, use),
  );
  return tests.includes(undefined) ? undefined : allOf(tests as RequestTest[]);
}

function amongTest(key: string, { values, notValues }: Among, use: RuleUse): RequestTest | undefined {
  const attribute = attributeOf(key);
  // A key that nobody knows makes the rule as a whole one that cannot be asked, for any action.
  if (attribute === undefined) return undefined;
  const testable = (wanted: readonly string[]): readonly RequestTest[] | undefined => {
    const tests = wanted.map((value) => (attribute.http && !use.http ? undefined : attribute.test(value)));
    const usable = tests.filter((test) => test !== undefined);
    return usable.length < tests.length && use.doubt === 'narrow' ? undefined : usable;
  };
  const [wanted, unwanted] = [testable(values), testable(notValues)];
  if (wanted === undefined || unwanted === undefined) return undefined;
  const isUnwanted = someOf(unwanted);
  const isWanted = anyOf(wanted);
  return unwanted.length === 0 ? isWanted : (request) => isWanted(request) && !isUnwanted(request);
}

/** One of them; without any, every request. */
function anyOf(tests: readonly RequestTest[]): RequestTest {
  return tests.length === 0 ? () => true : someOf(tests);
}

function someOf(tests: readonly RequestTest[]): RequestTest {
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (request) => tests.some((test) => test(request));
}

function allOf(tests: readonly RequestTest[]): RequestTest {
  return (request) => tests.every((test) => test(request));
}
