import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import type { ConfigProblem } from './problem.ts';
import { loadGatewayConfig, readGatewayConfig } from './gateway-config.ts';
import { defaultLimits } from './listen-schema.ts';

function problemsOf(text: string): { lines: string[]; problems: ConfigProblem[] } {
  try {
    readGatewayConfig(text, 'gateway.yaml');
  } catch (thrown) {
    assert.ok(thrown instanceof HeddleError);
    assert.equal(thrown.reason, 'BAD_CONFIG');
    return {
      lines: thrown.message.split('\n'),
      problems: thrown.details.map(({ value }) => value as ConfigProblem),
    };
  }
  throw new Error('the document was accepted');
}

describe('a gateway file', () => {
  test('needs routes only; the rest has defaults', () => {
    const config = readGatewayConfig('routes:\n  - { path: /api, upstream: "discovery:///order" }\n', 'x');
    const nothing = { remove: [], set: [], add: [] };
    const shares = [{ upstream: 'discovery:///order', weight: 1 }];
    assert.deepEqual(config, {
      listen: { host: '127.0.0.1', port: 8080 },
      limits: defaultLimits,
      tls: undefined,
      servers: [],
      trustedProxies: [],
      zones: {},
      accessLog: undefined,
      auth: {},
      rateLimitStore: undefined,
      decisionPoint: undefined,
      upstreams: {},
      policies: [],
      routes: [
        {
          name: '/api',
          match: { hosts: [], path: { kind: 'prefix', value: '/api' }, methods: [], headers: [], query: [] },
          action: { kind: 'forward', shares, variants: [], sticky: undefined },
          rewrite: undefined,
          forwardHost: 'pass',
          request: nothing,
          response: nothing,
          cors: undefined,
          auth: undefined,
          access: [],
          decide: undefined,
          limits: [],
          fault: undefined,
          mirror: undefined,
          protocol: 'http1',
          webSocket: false,
          grpcWeb: false,
          transcode: undefined,
          compress: undefined,
          timeoutMs: 10_000,
          attempts: 3,
          retryOn: undefined,
          attemptTimeoutMs: undefined,
          buffer: undefined,
          maxBodyBytes: undefined,
          maxResponseBytes: undefined,
        },
      ],
      quarantined: [],
    });
  });

  test('is the same as YAML and as JSON', () => {
    const yaml =
      'listen: {host: 0.0.0.0, port: 0}\nroutes: [{path: {template: "/u/{id}"}, upstream: "[::1]:80"}]';
    const document = {
      listen: { host: '0.0.0.0', port: 0 },
      routes: [{ path: { template: '/u/{id}' }, upstream: '[::1]:80' }],
    };
    assert.deepEqual(readGatewayConfig(JSON.stringify(document), 'x'), readGatewayConfig(yaml, 'x'));
  });

  test('a bad route is put apart, with what it is for, and the others are served', () => {
    const text = [
      'routes:',
      '  - { path: /a, upstream: "h:1" }',
      '  - { path: /b, upstream: "h:1", timeotMs: 5 }',
      '  - { path: "b/..", upstream: "h:1" }',
      '  - { path: /c, upstream: "h:1" }',
    ].join('\n');
    const config = loadGatewayConfig(text, 'x');
    assert.deepEqual(
      config.routes.map(({ name }) => name),
      ['/a', '/c'],
    );
    const found = config.quarantined.map(({ at, match, problems }) => [
      at,
      match?.path.value,
      problems[0]?.line,
    ]);
    assert.deepEqual(found, [
      ['routes[1]', '/b', 3],
      ['routes[2]', undefined, 4],
    ]);
    assert.throws(() => loadGatewayConfig(`${text}\nlisten: 5`, 'x'), { reason: 'BAD_CONFIG' });
    const none = 'routes:\n  - { path: x, upstream: "h:1" }\n';
    assert.throws(() => loadGatewayConfig(none, 'x'), { reason: 'BAD_CONFIG' });
  });

  test('all problems are reported at once, each with its place', () => {
    const { lines } = problemsOf(
      [
        'listn: { port: 80 }',
        'limits: { maxRequests: many }',
        'routes:',
        '  - path: api',
        '    upstream: discovery:///order',
        '    timeotMs: 5',
        '  - path: /x',
        '  - path: /y',
        '    upstream: "ftp://x"',
        '    attempts: 0',
      ].join('\n'),
    );
    const places = lines.map((line) => line.split(': ').slice(0, 2).join(' '));
    assert.deepEqual(places, [
      'gateway.yaml:1:1 listn',
      'gateway.yaml:2:24 limits.maxRequests',
      'gateway.yaml:4:11 routes[0].path',
      'gateway.yaml:6:5 routes[0].timeotMs',
      'gateway.yaml:7:5 routes[1]',
      'gateway.yaml:9:15 routes[2].upstream',
      'gateway.yaml:10:15 routes[2].attempts',
    ]);
    assert.match(lines[0] ?? '', /unknown key "listn": did you mean "listen"\?/);
    assert.match(lines[1] ?? '', /expected a whole number from 1 to 1000000, found "many"/);
    assert.match(lines[3] ?? '', /did you mean "timeoutMs"\?/);
    assert.match(
      lines[4] ?? '',
      /expected exactly one of "upstream", "split", "redirect", "respond", "rateLimitService", found 0/,
    );
  });

  test('two routes with one prefix are a mistake', () => {
    const text = 'routes:\n- {path: /a, upstream: "h:1"}\n- {path: /a/, upstream: "h:2"}\n';
    assert.deepEqual(problemsOf(text).lines, [
      'gateway.yaml:3:3: routes[1]: is for the same requests as routes[0]: /a/',
    ]);
  });

  for (const [what, text, message] of [
    ['broken YAML', 'routes: [', /^gateway\.yaml:1:\d+: /],
    ['a key given twice', 'routes: []\nroutes: []\n', /^gateway\.yaml:2:1: .*unique/],
    ['an empty file', '', /expected an object with listen, limits, .*routes, found nothing/],
    ['a list', '- 1', /expected an object/],
    ['no routes', 'listen: {}', /the key "routes" is missing/],
    ['routes that are no list', 'routes: 5', /expected a list, found 5/],
    [
      'an alias',
      'routes:\n- {path: &p /a, upstream: "h:1"}\n- {path: *p, upstream: "h:1"}',
      /anchors and aliases/,
    ],
    ['a path that is not in normal form', 'routes: [{path: /a/../b, upstream: "h:1"}]', /routes\[0\]\.path/],
    ['a path with a query', 'routes: [{path: "/a?x", upstream: "h:1"}]', /routes\[0\]\.path/],
    [
      'a port out of range',
      'listen: {port: 70000}\nroutes: []',
      /listen\.port: expected a whole number from 0/,
    ],
    ...(
      [
        ['an expression that is none', 'path: {regex: "("}', /not a regular expression/],
        ['an expression that grows', 'path: {regex: "(a{1000}){1000}"}', /counted repetitions/],
        ['a path in two ways', 'path: {exact: /a, prefix: /b}', /exactly one of its keys/],
        ['a path and gRPC', 'path: /a, grpc: {service: A}', /either "path" or "grpc"/],
        ['two actions', 'path: /a, redirect: {to: /b}', /exactly one of .*, found 2/],
        ['a redirect to another scheme', 'path: /a, redirect: {to: "//evil"}', /redirect\.to/],
        [
          'a field of the wire',
          'path: /a, request: {set: {content-length: "5"}}',
          /not about the connection/,
        ],
        ['a field with a line break', 'path: /a, request: {set: {x-a: "a\\nb"}}', /visible characters/],
        ['CORS for all with cookies', 'path: /a, cors: {origins: ["*"], credentials: true}', /by name/],
        ['a host with a port', 'path: /a, host: "a:80"', /without port/],
        ['a percentage over 100', 'path: /a, fault: {abort: {percent: 101, status: 500}}', /from 0 to 100/],
        ['a rewrite of a template', 'path: {template: "/{a}"}, rewrite: /b', /rewriteRegex/],
      ] as const
    ).map(([what, route, message]) => [what, `routes: [{upstream: "h:1", ${route}}]`, message] as const),
    ['a prototype key', '__proto__: {}\nroutes: []', /unknown key "__proto__"/],
    ['a file that is too large', ' '.repeat(1_048_577), /expected at most 1048576 characters/],
  ] as const) {
    test(`refuses ${what}`, () => assert.match(problemsOf(text).lines[0] ?? '', message));
  }
});

test('a route that asks for a proof that nobody can give is a mistake; keys may come from elsewhere', () => {
  const route = (method: string): string =>
    `routes: [{ path: /, auth: { any: [${method}] }, respond: { status: 200 } }]`;
  for (const method of ['jwt', 'basic', 'introspection', 'oidc', 'clientCertificate'])
    assert.throws(
      () => readGatewayConfig(route(method), 'x'),
      /routes\[0\]\.auth: ".+" needs ".+" in the section "auth"/,
    );
  assert.equal(readGatewayConfig(route('apiKey'), 'x').routes.length, 1);
});

test('what is not YAML is told by that alone', () => {
  assert.throws(
    () => readGatewayConfig('routes:\n  - path: /x\n   upstream: y\n', 'x'),
    ({ message }: Error) => /Sequence item/.test(message) && !/is no target/.test(message),
  );
});
