import { ipBlock } from './ip-block.ts';
import { pathPattern } from './path-pattern.ts';
import type { AuthorizationRequest, HttpFacts, TokenClaims } from './request.ts';
import { type TextTest, textPattern, textPatternIgnoringCase } from './text-pattern.ts';

/** Tells whether a request is meant. */
export type RequestTest = (request: AuthorizationRequest) => boolean;

/** Something that a policy can ask about. */
export interface Attribute {
  /** Only HTTP has it. */
  readonly http: boolean;
  /** What a value of a policy asks for; undefined for a value that is none. */
  readonly test: (value: string) => RequestTest | undefined;
}

/** The attribute of a key of `when`; undefined where there is none of that name. */
export function attributeOf(key: string): Attribute | undefined {
  const plain = Object.hasOwn(byKey, key) ? byKey[key] : undefined;
  if (plain !== undefined) return plain;
  const header = /^request\.headers\[([^\]]+)\]$/.exec(key)?.[1];
  if (header !== undefined) return headerAttribute(header.toLowerCase());
  const claims = /^request\.auth\.claims((?:\[[^\]]+\])+)$/.exec(key)?.[1];
  return claims === undefined ? undefined : claimAttribute(claims.slice(1, -1).split(']['));
}

/** True for a key that `when` of a rule may ask about. Envoy's own metadata is not ours to judge. */
export function isCondition(key: string): boolean {
  if (key.startsWith('experimental.envoy.filters.')) return true;
  return attributeOf(key) !== undefined && !/^request\.(?:host|method|path)$/.test(key);
}

/** The parts of `td/ns/namespace/sa/account`; empty where the identity has another form. */
function identityParts(principal: string): { domain: string; namespace: string; account: string } {
  const [, domain = '', namespace = '', account = ''] =
    /^([^/]+)\/(?:.*\/)?ns\/([^/]+)\/(?:.+\/)?sa\/([^/]+)/.exec(principal) ?? [];
  return { domain, namespace, account };
}

const overTcp = (read: (request: AuthorizationRequest) => string): Attribute => ({
  http: false,
  test: (value) => ofText(read, textPattern(value)),
});

const address = (read: (request: AuthorizationRequest) => string): Attribute => ({
  http: false,
  test: (value) => {
    const within = ipBlock(value);
    return within === undefined ? undefined : (request) => within(read(request));
  },
});

function overHttp(
  read: (http: HttpFacts) => string | undefined,
  pattern: (value: string) => TextTest,
): Attribute {
  return {
    http: true,
    test: (value) => {
      const test = pattern(value);
      return ({ http }) => {
        const text = http === undefined ? undefined : read(http);
        return text !== undefined && test(text);
      };
    },
  };
}

const ofToken = (read: (token: TokenClaims) => unknown): Attribute => ({
  http: true,
  test: (value) => {
    const test = textPattern(value);
    return ({ http }) => http?.token !== undefined && someText(read(http.token), test);
  },
});

const byKey: Readonly<Record<string, Attribute>> = {
  'source.ip': address(({ sourceIp }) => sourceIp),
  'remote.ip': address(({ remoteIp }) => remoteIp),
  'destination.ip': address(({ destinationIp }) => destinationIp),
  'source.principal': overTcp(({ principal }) => principal),
  'source.namespace': overTcp(({ principal }) => identityParts(principal).namespace),
  'source.trustDomain': overTcp(({ principal }) => identityParts(principal).domain),
  'source.serviceAccount': {
    http: false,
    // No `*` here: Istio compares namespace and account as they are.
    test: (value) => (request) => {
      const { namespace, account } = identityParts(request.principal);
      return namespace !== '' && `${namespace}/${account}` === value;
    },
  },
  'destination.port': {
    http: false,
    test: (value) =>
      /^\d{1,5}$/.test(value) ? (request) => request.destinationPort === Number(value) : undefined,
  },
  'connection.sni': overTcp(({ sni }) => sni),
  'request.auth.principal': { http: true, test: requestPrincipal },
  'request.auth.audiences': ofToken(({ audiences }) => audiences),
  'request.auth.presenter': ofToken(({ claims }) => claims['azp']),
  // Not keys of `when`, but of operations:
  'request.host': overHttp(({ host }) => host, textPatternIgnoringCase),
  'request.method': overHttp(({ method }) => method, textPattern),
  'request.path': overHttp(({ path }) => path, pathPattern),
};

function headerAttribute(name: string): Attribute {
  return overHttp(
    (http) => http.header(name),
    // A header that is there but empty is there.
    (value) => (value === '*' ? () => true : textPattern(value)),
  );
}

function claimAttribute(path: readonly string[]): Attribute {
  return ofToken(({ claims }) => {
    let value: unknown = claims;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Readonly<Record<string, unknown>>)[step];
    }
    return value;
  });
}

/** `issuer/subject`, each side with a pattern of its own; the last slash divides, since issuers are URLs. */
function requestPrincipal(value: string): RequestTest {
  const slash = value.lastIndexOf('/');
  const [issuer, subject] = slash < 0 ? undivided(value) : [value.slice(0, slash), value.slice(slash + 1)];
  const [ofIssuer, ofSubject] =
    value === '*' ? [textPattern('*'), textPattern('*')] : sides(value, issuer, subject);
  return ({ http }) =>
    http?.token !== undefined && ofIssuer(http.token.issuer) && ofSubject(http.token.subject);
}

function undivided(value: string): readonly [string, string] {
  if (value.startsWith('*')) return ['*', value];
  return value.endsWith('*') ? [value, '*'] : [value, ''];
}

/** Only one end of the whole may have a `*`, so the other side is compared as it is. */
function sides(value: string, issuer: string, subject: string): readonly [TextTest, TextTest] {
  const exact =
    (wanted: string): TextTest =>
    (text) =>
      text === wanted;
  if (!value.includes('/')) return [textPattern(issuer), textPattern(subject)];
  if (value.startsWith('*')) return [textPattern(issuer), exact(subject)];
  return value.endsWith('*') ? [exact(issuer), textPattern(subject)] : [exact(issuer), exact(subject)];
}

function ofText(read: (request: AuthorizationRequest) => string, test: TextTest): RequestTest {
  return (request) => {
    const text = read(request);
    return text !== '' && test(text);
  };
}

function someText(value: unknown, test: TextTest): boolean {
  if (Array.isArray(value)) return value.some((each) => typeof each === 'string' && test(each));
  return typeof value === 'string' && test(value);
}
