import assert from 'node:assert/strict';
import test from 'node:test';
import { loadResources } from './load.ts';

const load = (text: string): ReturnType<typeof loadResources> => loadResources([{ file: 'a.yaml', text }]);
const told = (text: string): string[] =>
  load(text).findings.map(({ code, line, column, field }) => `${code} ${line}:${column} ${field}`);

test('what Istio takes is taken unchanged', () => {
  const { resources, findings } = load(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: bookinfo, labels: {team: shop}}
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {end-user: {exact: jason}}}]
      route: [{destination: {host: reviews, subset: v2}}]
    - route:
        - destination: {host: reviews, subset: v1}
          weight: 80
        - {destination: {host: reviews, subset: v2}, weight: 20}
      timeout: 1.5s
`);
  assert.deepEqual(findings, []);
  const [resource] = resources;
  assert.ok(resource?.type === 'VirtualService' && resource.valid);
  assert.equal(resource.spec.http?.[1]?.route?.[1]?.weight, 20);
  assert.deepEqual(resource.at(['spec', 'http', 1, 'route', 1, 'weight']), { line: 13, column: 54 });
});

test('all problems are told at once, each at its place', () => {
  assert.deepEqual(
    told(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: reviews
  htttp: []
  http:
    - route:
        - destination: {subset: v1}
          weight: "80"
      timeout: 5
extra: 1
`),
    [
      'UNKNOWN_FIELD 13:1 extra',
      'WRONG_VALUE 6:3 spec.hosts',
      'UNKNOWN_FIELD 7:3 spec.htttp',
      'MISSING_FIELD 10:11 spec.http[0].route[0].destination',
      'WRONG_VALUE 11:11 spec.http[0].route[0].weight',
      'WRONG_VALUE 12:7 spec.http[0].timeout',
    ],
  );
});

test('a near miss names the field that was meant', () => {
  const { findings } = load(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec: {host: a, traficPolicy: {}}
`);
  assert.match(findings[0]?.message ?? '', /did you mean "trafficPolicy"/);
});

test('what is wrong is left out, and what follows it keeps its place', () => {
  const { resources } = load(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a], http: [5, {name: second}]}
`);
  const [resource] = resources;
  assert.ok(resource?.type === 'VirtualService');
  assert.deepEqual(resource.spec.http, [{}, { name: 'second' }]);
  assert.equal(resource.valid, false);
});

test('old forms are read as today’s, each with its finding', () => {
  const { resources, findings } = load(`apiVersion: networking.istio.io/v1alpha3
kind: DestinationRule
metadata: {name: a}
spec:
  host: a
  trafficPolicy:
    loadBalancer: {simple: LEAST_CONN}
    circuitBreaker:
      consecutiveErrors: 3
      interval: 30s
  subsets:
    - name: v1
      trafficPolicy:
        outlierDetection: {consecutiveErrors: 7}
`);
  assert.deepEqual(
    findings.map(({ code, line }) => `${code} ${line}`),
    [
      'OLD_API_VERSION 1',
      'OLD_CIRCUIT_BREAKER 8',
      'OLD_CONSECUTIVE_ERRORS 9',
      'OLD_LEAST_CONN 7',
      'OLD_CONSECUTIVE_ERRORS 14',
    ],
  );
  const [resource] = resources;
  assert.ok(resource?.type === 'DestinationRule');
  assert.deepEqual(resource.spec.trafficPolicy, {
    loadBalancer: { simple: 'LEAST_REQUEST' },
    outlierDetection: { consecutive5xxErrors: 3, interval: '30s' },
  });
  assert.deepEqual(resource.spec.subsets?.[0]?.trafficPolicy, {
    outlierDetection: { consecutive5xxErrors: 7 },
  });
});

test('the old names of fields of routes and tokens are read too', () => {
  const { resources, findings } = load(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a]
  http:
    - mirror: {host: b}
      mirror_percent: 10
      fault: {delay: {fixedDelay: 5s, percent: 20}}
      corsPolicy: {allowOrigin: ["https://a.example"]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: a}
spec: {targetRef: {kind: Gateway, name: g}, jwtRules: [{issuer: i, jwks_uri: "https://i/k"}]}
`);
  assert.deepEqual(new Set(findings.map(({ code }) => code)), new Set(['OLD_FIELD']));
  assert.equal(findings.length, 5);
  const [route, tokens] = resources;
  assert.ok(route?.type === 'VirtualService' && tokens?.type === 'RequestAuthentication');
  const [rule] = route.spec.http ?? [];
  assert.deepEqual(rule?.mirrorPercentage, { value: 10 });
  assert.deepEqual(rule?.fault?.delay?.percentage, { value: 20 });
  assert.deepEqual(rule?.corsPolicy?.allowOrigins, [{ exact: 'https://a.example' }]);
  assert.equal(tokens.spec.jwtRules?.[0]?.jwksUri, 'https://i/k');
  assert.deepEqual(tokens.spec.targetRefs, [{ kind: 'Gateway', name: 'g' }]);
});

test('kinds that nobody reads any more are not passed over', () => {
  assert.deepEqual(
    told(`apiVersion: authentication.istio.io/v1alpha1
kind: Policy
---
apiVersion: security.istio.io/v1
kind: AuthenticationPolicy
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
---
apiVersion: networking.istio.io/v1
kind: VirtualServise
`),
    ['REMOVED_KIND 2:1 kind', 'REMOVED_KIND 5:1 kind', 'UNSUPPORTED_KIND 8:1 kind', 'UNKNOWN_KIND 11:1 kind'],
  );
});

test('objects of others are counted, not judged', () => {
  const { resources, findings, others } = load(`apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: y}}
  - apiVersion: v1
    kind: Service
    metadata: {name: a}
    spec: {ports: [{port: 0, nodePort: 4}], sessionAffinity: None}
`);
  assert.equal(others, 1);
  assert.equal(resources.length, 1);
  assert.deepEqual(
    findings.map(({ code, line, field }) => `${code} ${line} ${field}`),
    ['WRONG_VALUE 8 spec.ports[0].port'],
  );
});

test('two objects of one name are told, also over files', () => {
  const text = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n';
  const { findings } = loadResources([
    { file: 'a.yaml', text },
    { file: 'b.yaml', text },
  ]);
  assert.deepEqual(
    findings.map(({ code, file }) => `${code} ${file}`),
    ['DUPLICATE_OBJECT b.yaml'],
  );
});

test('broken text is a finding with its place', () => {
  assert.equal(told('a: [1\nb: 2\n')[0]?.startsWith('SYNTAX '), true);
  assert.deepEqual(told('just words\n'), ['NOT_AN_OBJECT 1:1 ']);
});

test('a text that is only indented wrongly is told and still read', () => {
  const { resources, findings } = load(`apiVersion: v1
kind: Service
metadata:
  name: a
spec:
  ports:
    - port: 80
    - name: second
        port: 81
        targetPort: 8081
`);
  assert.ok(findings.length > 0 && findings.every(({ code, line }) => code === 'SYNTAX' && line >= 8));
  const [service] = resources;
  assert.ok(service?.type === 'Service');
  assert.deepEqual(service.spec.ports, [{ port: 80 }, { name: 'second', port: 81, targetPort: 8081 }]);
  assert.equal(service.valid, false);
});
