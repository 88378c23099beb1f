import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import type { ConfigProblem } from './problem.ts';
import { readGatewayConfig } from './gateway-config.ts';

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
    assert.deepEqual(config, {
      listen: { host: '127.0.0.1', port: 8080 },
      limits: { maxRequests: 4096, maxBodyBytes: 10_485_760 },
      routes: [
        {
          name: '/api',
          path: '/api',
          rewrite: undefined,
          upstream: 'discovery:///order',
          timeoutMs: 10_000,
          attempts: 3,
        },
      ],
    });
  });

  test('takes every key, as YAML or JSON', () => {
    const document = {
      listen: { host: '0.0.0.0', port: 0 },
      limits: { maxRequests: 7, maxBodyBytes: 8 },
      routes: [{ name: 'o', path: '/o/', rewrite: '/', upstream: '[::1]:80', timeoutMs: 9, attempts: 1 }],
    };
    assert.deepEqual(readGatewayConfig(JSON.stringify(document), 'x'), document);
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
    assert.match(lines[4] ?? '', /the key "upstream" is missing/);
  });

  test('two routes with one prefix are a mistake', () => {
    const text = 'routes:\n- {path: /a, upstream: "h:1"}\n- {path: /a/, upstream: "h:2"}\n';
    assert.deepEqual(problemsOf(text).lines, [
      'gateway.yaml:3:3: routes[1]: the path /a/ is that of routes[0] already',
    ]);
  });

  for (const [what, text, message] of [
    ['broken YAML', 'routes: [', /^gateway\.yaml:1:\d+: /],
    ['a key given twice', 'routes: []\nroutes: []\n', /^gateway\.yaml:2:1: .*unique/],
    ['an empty file', '', /expected an object with listen, limits, routes, found nothing/],
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
    ['a prototype key', '__proto__: {}\nroutes: []', /unknown key "__proto__"/],
    ['a file that is too large', ' '.repeat(1_048_577), /expected at most 1048576 characters/],
  ] as const) {
    test(`refuses ${what}`, () => assert.match(problemsOf(text).lines[0] ?? '', message));
  }
});
