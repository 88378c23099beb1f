// Servers with TLS of Istio's Gateways, by curl and by clients of Node: what each shows, whom it lets in, what it passes on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority, until } from '@heddle/kernel/testing';
import { jsonAnswer } from '@heddle/proxy';
import { type HttpServer, serve } from '@heddle/wire';
import { freePort } from '../../../../scripts/engines/running.ts';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-istio-tls-'));
const file = (name: string): string => path.join(folder, name);
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const limit = { timeout: 240_000 };
const authority = new TestAuthority('authority', runtime.clock.wallMs());
const stranger = new TestAuthority('stranger', runtime.clock.wallMs());
const ann = authority.issue({ subject: 'ann', uris: ['spiffe://shop/ann'] });
const ben = authority.issue({ subject: 'ben', uris: ['spiffe://shop/ben'] });
const mallory = stranger.issue({ subject: 'mallory', uris: ['spiffe://shop/ann'] });
type Identity = typeof ann;

const indented = (text: string): string => text.trim().replaceAll('\n', '\n    ');
const secret = (name: string, { certificates, privateKey }: Identity, trust: string): string => `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: shop }
stringData:
  tls.crt: |
    ${indented(certificates)}
  tls.key: |
    ${indented(privateKey)}
  ca.crt: |
    ${indented(trust)}
---`;

/** A certificate as Kubernetes mounts it. Each file is replaced as a whole. */
function mount(name: string, { certificates, privateKey }: Identity): void {
  mkdirSync(file(name), { recursive: true });
  for (const [at, content] of [
    ['tls.crt', certificates],
    ['tls.key', privateKey],
  ] as const) {
    writeFileSync(file(`${name}/new`), content);
    renameSync(file(`${name}/new`), file(`${name}/${at}`));
  }
}

interface Shown {
  readonly out: string;
  readonly code: number;
}

/** curl, which asks for a host of ours by its name. */
function curl(port: number, host: string, ...args: string[]): Promise<Shown> {
  const scheme = args.includes('--plain') ? 'http' : 'https';
  const given = args.filter((each) => each !== '--plain');
  const format = '\n%{http_code} %{http_version} %{redirect_url}';
  const place = `${host}:${port}:127.0.0.1`;
  const all = ['-s', '--max-time', '60', '--cacert', file('ca.pem'), '--resolve', place, '-w', format].concat(
    given,
    `${scheme}://${host}:${port}/x`,
  );
  return new Promise((resolve) => {
    execFile('curl', all, (error, stdout) => {
      resolve({ out: stdout, code: error === null ? 0 : Number(error.code) });
    });
  });
}

const by = (name: string): string[] => ['--cert', file(`${name}.pem`), '--key', file(`${name}.key`)];

describe("servers of Istio's Gateways", { timeout: 900_000 }, () => {
  let cli: StartedCli;
  let upstream: HttpServer;
  let listen = 0;
  let secure = 0;
  let deep: ReturnType<typeof createServer>;

  before(async () => {
    writeFileSync(file('ca.pem'), authority.certificate);
    for (const [name, identity] of [
      ['ann', ann],
      ['ben', ben],
      ['mallory', mallory],
    ] as const) {
      writeFileSync(file(`${name}.pem`), identity.certificates);
      writeFileSync(file(`${name}.key`), identity.privateKey);
    }
    upstream = await serve(
      async ({ scheme, fields }) => jsonAnswer(200, { scheme, proto: fields.get('x-forwarded-proto') }),
      {
        runtime,
        address: { host: '127.0.0.1', port: 0 },
      },
    );
    const own = authority.issue({ dnsNames: ['deep.pass.example'] });
    deep = createServer({ cert: own.certificates, key: own.privateKey }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndeep'));
    });
    await new Promise<void>((resolve) => deep.listen(0, '127.0.0.1', resolve));
    listen = await freePort();
    secure = await freePort();
    mkdirSync(file('config'));
    mount('config/open', authority.issue({ subject: 'first', dnsNames: ['open.example'] }));
    writeFileSync(file('config/gateway.yaml'), `listen: { port: ${listen} }\nroutes: []\n`);
    const { port: behind } = deep.address() as { port: number };
    const trusted = authority.issue({ dnsNames: ['*.closed.example'] });
    writeFileSync(
      file('config/istio.yaml'),
      `${secret('closed', trusted, authority.certificate)}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: shop }
spec:
  servers:
    - { port: { number: 80, protocol: HTTP }, hosts: [open.example], tls: { httpsRedirect: true } }
    - { port: { number: ${secure}, protocol: HTTPS }, hosts: [open.example], tls: { mode: SIMPLE, credentialName: open } }
    - port: { number: ${secure}, protocol: HTTPS }
      hosts: [all.closed.example]
      tls: { mode: MUTUAL, credentialName: closed, subjectAltNames: ["spiffe://shop/ann"], minProtocolVersion: TLSV1_3 }
    - { port: { number: ${secure}, protocol: HTTPS }, hosts: [some.closed.example], tls: { mode: OPTIONAL_MUTUAL, credentialName: closed } }
    - { port: { number: ${secure}, protocol: TLS }, hosts: ["*.pass.example"], tls: { mode: PASSTHROUGH } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: all, namespace: shop }
spec:
  hosts: ["*"]
  gateways: [public]
  http: [{ route: [{ destination: { host: 127.0.0.1, port: { number: ${upstream.address.port} } } }] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: passed, namespace: shop }
spec:
  hosts: ["*.pass.example"]
  gateways: [shop/public]
  tls: [{ match: [{ sniHosts: [deep.pass.example] }], route: [{ destination: { host: 127.0.0.1, port: { number: ${behind} } } }] }]
`,
    );
    cli = new StartedCli(['gateway', '--config', file('config'), '--workers', '2']);
    await cli.printed(/"ready"/);
  });

  after(async () => {
    cli?.child.kill('SIGTERM');
    await cli?.exited;
    deep?.close();
    await upstream?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('SIMPLE speaks HTTP/1.1 and HTTP/2, and what comes without TLS is sent to it', limit, async () => {
    const one = await curl(secure, 'open.example', '--http1.1');
    assert.match(one.out, /"proto":"https"\}\s+200 1\.1/);
    assert.match((await curl(secure, 'open.example', '--http2')).out, /\n200 2/);
    assert.match(
      (await curl(listen, 'open.example', '--plain')).out,
      /\n301 1\.1 https:\/\/open\.example\/x/,
    );
    assert.match((await curl(listen, 'all.closed.example', '--plain')).out, /\n404/);
    // Nobody has the name: the connection is closed.
    assert.notEqual((await curl(secure, 'other.example', '-k')).code, 0);
  });

  test(
    'MUTUAL lets in whom it knows by a name that it wants, and speaks no less than TLS 1.3',
    limit,
    async () => {
      const host = 'all.closed.example';
      assert.match((await curl(secure, host, '--http2', ...by('ann'))).out, /\n200 2/);
      assert.match((await curl(secure, host, '--http1.1', ...by('ann'))).out, /\n200 1\.1/);
      assert.match((await curl(secure, host, ...by('ben'))).out, /CLIENT_NOT_NAMED[^]*\n403/);
      assert.notEqual((await curl(secure, host)).code, 0);
      assert.notEqual((await curl(secure, host, ...by('mallory'))).code, 0);
      assert.notEqual((await curl(secure, host, '--tls-max', '1.2', ...by('ann'))).code, 0);
      // A connection for another name does not carry requests for this one.
      assert.match((await curl(secure, 'open.example', '-H', `host: ${host}`)).out, /MISDIRECTED[^]*\n421/);
    },
  );

  test('OPTIONAL_MUTUAL lets in who shows nothing, and nobody with a bad certificate', limit, async () => {
    const host = 'some.closed.example';
    assert.match((await curl(secure, host)).out, /\n200/);
    assert.match((await curl(secure, host, ...by('ben'))).out, /\n200/);
    assert.notEqual((await curl(secure, host, ...by('mallory'))).code, 0);
  });

  test('PASSTHROUGH leaves TLS to who is behind', limit, async () => {
    assert.match((await curl(secure, 'deep.pass.example', '--http1.1')).out, /^deep\n200/);
    // Without a rule there is nobody.
    assert.notEqual((await curl(secure, 'other.pass.example')).code, 0);
  });

  test(
    'a certificate that changes on the disk is shown to the next, and open connections go on',
    limit,
    async () => {
      const open = (): Promise<TLSSocket> =>
        new Promise((resolve, reject) => {
          const options = {
            port: secure,
            host: '127.0.0.1',
            servername: 'open.example',
            ca: authority.certificate,
          };
          const socket = connect(options, () => resolve(socket)).on('error', reject);
        });
      const ask = (socket: TLSSocket): Promise<string> =>
        new Promise((resolve) => {
          socket.once('data', (bytes: Buffer) => resolve(String(bytes).slice(0, 12)));
          socket.write('GET /x HTTP/1.1\r\nhost: open.example\r\n\r\n');
        });
      const subject = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);
      const before = await open();
      assert.equal(subject(before), 'first');
      mount('config/open', authority.issue({ subject: 'second', dnsNames: ['open.example'] }));
      await until(runtime, 'the new one is shown', 60_000, async () => {
        const next = await open();
        const shown = subject(next);
        next.destroy();
        return shown === 'second';
      });
      assert.equal(await ask(before), 'HTTP/1.1 200');
      before.destroy();
    },
  );
});
