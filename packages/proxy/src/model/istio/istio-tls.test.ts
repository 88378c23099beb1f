import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, HeddleError, settle, type TlsSession } from '@heddle/kernel';
import { emptyBody, Fields, type HttpResponse, peer } from '@heddle/wire';
import { World } from '../../testdata/world.ts';
import { diffConfigs, shownConfig } from '../../version/diff.ts';
import { shownDocuments } from '../../version/shown-documents.ts';
import { readGatewayConfig } from '../gateway-config.ts';
import { serverAt } from '../server.ts';

const head = (kind: string, name: string, version = 'networking.istio.io/v1'): string =>
  `apiVersion: ${version}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\n`;

const gateway = (...servers: string[]): string =>
  `${head('Gateway', 'public')}spec:\n  servers:\n${servers.map((each) => `    - ${each}\n`).join('')}---\n`;

const service = (hosts: string, rules: string): string =>
  `${head('VirtualService', 'orders')}spec:\n  hosts: ${hosts}\n  gateways: [public]\n${rules}---\n`;

const secret = (name: string, ...keys: string[]): string =>
  `${head('Secret', name, 'v1')}data: { ${keys.map((key) => `${key}: ${Buffer.from(`${name} ${key}`).toString('base64')}`).join(', ')} }\n---\n`;

const answered = '  http: [{ directResponse: { status: 200 } }]\n';

function problems(content: string): string {
  try {
    readGatewayConfig(content, 'istio.yaml');
  } catch (thrown) {
    return HeddleError.from(thrown).message;
  }
  return assert.fail('it was taken');
}

const simple =
  '{ port: { number: 443, protocol: HTTPS }, hosts: ["a.example", "shop/*.b.example"], tls: { mode: SIMPLE, credentialName: a } }';
const mutual =
  '{ port: { number: 443, protocol: HTTPS }, hosts: [in.b.example], tls: { mode: MUTUAL, credentialName: c, subjectAltNames: ["spiffe://shop/ann"], minProtocolVersion: TLSV1_3, cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384] } }';
const passing =
  '{ port: { number: 443, protocol: TLS }, hosts: ["*.pass.example"], tls: { mode: PASSTHROUGH } }';
const plain = '{ port: { number: 80, protocol: HTTP }, hosts: ["*.b.example"] }';
const redirect = '{ port: { number: 80, protocol: HTTP }, hosts: [a.example], tls: { httpsRedirect: true } }';

describe('TLS of Gateways of Istio', () => {
  test('servers have the certificates of Secrets, or of a folder as Kubernetes mounts one', () => {
    const { servers } = readGatewayConfig(
      `${gateway(simple, mutual)}${secret('c', 'cert', 'key')}${secret('c-cacert', 'cacert')}${service('["*"]', answered)}`,
      'x',
    );
    assert.deepEqual(servers, [
      {
        name: 'Gateway shop/public servers[0]',
        port: 443,
        hosts: ['a.example', '*.b.example'],
        tls: {
          kind: 'end',
          certificate: { kind: 'files', cert: 'a/tls.crt', key: 'a/tls.key', clientAuthorities: undefined },
          clients: 'off',
          clientNames: [],
          oldest: undefined,
          newest: undefined,
          ciphers: [],
        },
      },
      {
        name: 'Gateway shop/public servers[1]',
        port: 443,
        hosts: ['in.b.example'],
        tls: {
          kind: 'end',
          certificate: {
            kind: 'secret',
            certificates: 'c cert',
            privateKey: 'c key',
            trust: 'c-cacert cacert',
          },
          clients: 'require',
          clientNames: ['spiffe://shop/ann'],
          oldest: 'TLSv1.3',
          newest: undefined,
          ciphers: ['ECDHE-RSA-AES256-GCM-SHA384'],
        },
      },
    ]);
    const at = (host: string | undefined): string | undefined => serverAt(servers, 443, host)?.name.at(-2);
    assert.deepEqual(['a.example', 'x.y.b.example', 'in.b.example', 'b.example', undefined].map(at), [
      '0',
      '0',
      '1',
      undefined,
      undefined,
    ]);
  });

  test('a VirtualService is served where its hosts are, and nowhere else', () => {
    const { routes } = readGatewayConfig(
      `${gateway(simple, mutual, plain, redirect)}${secret('c', 'tls.crt', 'tls.key', 'ca.crt')}${service('["*"]', answered)}`,
      'x',
    );
    const served = routes.map(({ match, action }) => [match.hosts, match.servers, action.kind]);
    const [first, second] = ['Gateway shop/public servers[0]', 'Gateway shop/public servers[1]'];
    assert.deepEqual(served, [
      [['a.example'], undefined, 'redirect'],
      [['a.example'], [first], 'respond'],
      [['*.b.example'], [first, 'listen'], 'respond'],
      [['in.b.example'], [second], 'respond'],
    ]);
  });

  test('connections that are passed on go where "tls" of a VirtualService says', () => {
    const rules = `  tls:
    - match: [{ sniHosts: [one.pass.example] }]
      route: [{ destination: { host: one.shop.svc, port: { number: 8443 } } }]
    - match: [{ sniHosts: ["*.pass.example"], port: 443 }, { sniHosts: ["two.pass.example"], port: 8443 }]
      route: [{ destination: { host: a.shop, port: { number: 1 } }, weight: 3 }, { destination: { host: b.shop, port: { number: 2 } }, weight: 1 }]
`;
    const { servers, routes } = readGatewayConfig(
      gateway(passing) + service('["*.pass.example"]', rules),
      'x',
    );
    assert.equal(routes.length, 0);
    assert.deepEqual(servers[0]?.tls, {
      kind: 'pass',
      ways: [
        { hosts: ['one.pass.example'], shares: [{ upstream: 'one.shop.svc:8443', weight: 1 }] },
        {
          hosts: ['*.pass.example'],
          shares: [
            { upstream: 'a.shop:1', weight: 3 },
            { upstream: 'b.shop:2', weight: 1 },
          ],
        },
      ],
    });
  });

  test('what cannot be is told with its place', () => {
    const told = (server: string, what: RegExp, more = ''): void =>
      assert.match(problems(gateway(server) + more + service('["*"]', answered)), what, server);
    const https = (tls: string): string =>
      `{ port: { number: 443, protocol: HTTPS }, hosts: ["*"], tls: ${tls} }`;
    told('{ port: { number: 443, protocol: HTTPS }, hosts: ["*"] }', /istio\.yaml:6:\d+.*HTTPS needs "tls"/);
    told(
      '{ port: { number: 80, protocol: HTTP }, hosts: ["*"], tls: { mode: SIMPLE } }',
      /expected the protocol HTTPS/,
    );
    told(
      '{ port: { number: 1, protocol: TLS }, hosts: ["*"], tls: { mode: SIMPLE, credentialName: a } }',
      /expected the protocol HTTPS for SIMPLE/,
    );
    told(https('{ credentialName: a }'), /the key "mode" is missing/);
    told(https('{ mode: SIMPLE }'), /expected "credentialName", or "serverCertificate" with "privateKey"/);
    told(https('{ mode: MUTUAL, serverCertificate: a, privateKey: b }'), /MUTUAL needs "caCertificates"/);
    told(https('{ mode: ISTIO_MUTUAL }'), /expected one of SIMPLE, MUTUAL/);
    told(
      https('{ mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_0 }'),
      /expected one of TLS_AUTO, TLSV1_2, TLSV1_3/,
    );
    told(
      https('{ mode: SIMPLE, credentialName: a, cipherSuites: [RC4-MD5] }'),
      /expected one of ECDHE-ECDSA/,
    );
    told(https('{ mode: SIMPLE, credentialName: a, subjectAltNames: [x] }'), /expected MUTUAL/);
    told(
      https('{ mode: PASSTHROUGH, credentialName: a }'),
      /PASSTHROUGH ends no TLS, so "credentialName" means nothing/,
    );
    told(
      https('{ mode: SIMPLE, credentialName: c }'),
      /the Secret c has no "tls\.crt" with a "tls\.key"/,
      secret('c', 'tls.crt'),
    );
    told(
      https('{ mode: MUTUAL, credentialName: c }'),
      /MUTUAL needs "ca\.crt" in the Secret c/,
      secret('c', 'tls.crt', 'tls.key'),
    );
    assert.match(
      problems(gateway(simple, simple.replace('a.example', 'x.example')) + service('["*"]', answered)),
      /"\*\.b\.example" at port 443 is of Gateway shop\/public servers\[0\] already/,
    );
    const way =
      '  tls: [{ match: [{ sniHosts: [x.example] }], route: [{ destination: { host: a, port: { number: 1 } } }] }]\n';
    assert.match(
      problems(gateway(simple) + service('[a.example]', way)),
      /needs a server with PASSTHROUGH[^]*"x\.example" is not among the hosts/,
    );
    const broken = `${head('Secret', 's', 'v1')}data: { tls.key: "not base64!" }\n---\n`;
    const said = problems(broken + gateway(simple) + service('["*"]', answered));
    assert.match(said, /expected a text in Base64/);
    assert.doesNotMatch(said, /not base64!/, 'no value of a Secret is told');
  });

  test('keys are not shown to operators', () => {
    const file = (key: string): string =>
      gateway(mutual) +
      secret('c', 'tls.crt', 'tls.key', 'ca.crt').replace('Yy', key) +
      service('["*"]', answered);
    const [one, other] = [readGatewayConfig(file('Yy'), 'x'), readGatewayConfig(file('Yz'), 'x')];
    const text = JSON.stringify(shownConfig(one));
    assert.match(text, /"certificates":"c tls\.crt"/);
    assert.doesNotMatch(text, /c tls\.key/);
    assert.doesNotMatch(JSON.stringify(diffConfigs(one, other)), /tls\.key/);
    const encoded = Buffer.from('c tls.key').toString('base64');
    const [document] = shownDocuments([{ source: 'x', content: `${file('Yy')}` }]);
    assert.ok(file('Yy').includes(encoded) && document?.content.includes(encoded) === false);
    assert.match(document.content, /kind: Gateway[^]*kind: Secret[^]*tls\.key: …[^]*kind: VirtualService/);
    const broken = `kind: Secret\ndata: { a: [ ${encoded}`;
    assert.deepEqual(shownDocuments([{ source: 'x', content: broken }]), [{ source: 'x', content: '…' }]);
  });
});

describe('a request at a server', () => {
  const world = World.reading(
    `${gateway(simple, mutual, plain, redirect)}${secret('c', 'tls.crt', 'tls.key', 'ca.crt')}${service('["*"]', answered)}`,
  );
  const certificate = (uris: string[], verified = true): TlsSession['certificate'] => ({
    verified,
    problem: undefined,
    fingerprint: '',
    subject: '',
    dnsNames: [],
    uris,
    expiresAtMs: 0,
    der: new Uint8Array(),
  });
  const send = async (
    authority: string,
    tls?: { sni: string; certificate?: TlsSession['certificate'] },
  ): Promise<HttpResponse> => {
    const call = Call.root(world.runtime);
    const session: TlsSession | undefined = tls && {
      version: 'TLSv1.3',
      alpn: 'h2',
      serverName: tls.sni,
      resumed: false,
      certificate: tls.certificate,
    };
    call.set(peer, { address: { host: '127.0.0.1', port: 1 }, tls: session });
    const { gateway: served } = world;
    const take = tls === undefined ? served.service : served.serviceAt(443);
    const req = {
      method: 'GET',
      scheme: 'http' as const,
      authority,
      path: '/x?y',
      fields: new Fields(),
      body: emptyBody,
    };
    const result = await world.time.run(settle(take, req, call));
    assert.ok(result.ok);
    return result.value;
  };

  test('is served by the routes of that server alone', async () => {
    assert.equal((await send('x.b.example')).status, 200);
    assert.equal((await send('x.b.example', { sni: 'x.b.example' })).status, 200);
    assert.equal((await send('a.example', { sni: 'a.example' })).status, 200);
    const { status, fields } = await send('a.example');
    assert.deepEqual([status, fields.get('location')], [301, 'https://a.example/x?y']);
    // The server that asks for certificates is not reached without TLS.
    assert.equal(
      (await send('in.b.example')).status,
      200,
      'as *.b.example, which the file opens without TLS',
    );
    assert.equal((await send('c.example')).status, 404);
  });

  test('for a host of another server is refused, whatever was shown', async () => {
    assert.equal((await send('in.b.example', { sni: 'a.example' })).status, 421);
    assert.equal((await send('in.b.example:443', { sni: 'x.b.example' })).status, 421);
    const ann = certificate(['spiffe://shop/ann']);
    assert.equal((await send('in.b.example', { sni: 'in.b.example', certificate: ann })).status, 200);
    assert.equal((await send('a.example', { sni: 'in.b.example', certificate: ann })).status, 421);
  });

  test('with a client that the server does not want is refused also on a connection from before', async () => {
    const status = async (shown: TlsSession['certificate']): Promise<number> =>
      (await send('in.b.example', { sni: 'in.b.example', certificate: shown })).status;
    assert.equal(await status(undefined), 421);
    assert.equal(await status(certificate(['spiffe://shop/ann'], false)), 421);
    assert.equal(await status(certificate(['spiffe://shop/ben'])), 403);
  });
});
