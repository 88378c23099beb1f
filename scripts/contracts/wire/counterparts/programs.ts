// curl, nghttp and h2load before our server, and before a proxy of ours with nginx behind.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from '../../../engines/cache.ts';
import { lastWords, run } from '../../../engines/command.ts';
import { curl } from '../../../engines/curl.ts';
import type { Found, Place, Tool } from '../../../engines/engine.ts';
import { required } from '../../../engines/engine.ts';
import { h2load, nghttp } from '../../../engines/nghttp2.ts';
import { nginx } from '../../../engines/nginx.ts';
import { authority, digestOf, large, proxyTo, started, tls } from './subject.ts';

/** What a program does with our server. Rejects with what went wrong. */
export interface ProgramCase {
  readonly tool: Tool;
  readonly name: string;
  run(found: Found): Promise<void>;
}

const upload = Buffer.alloc(400_000, 'shuttle ');

/** All of them. */
export const programCases: readonly ProgramCase[] = [
  {
    tool: curl,
    name: 'curl before our server: HTTP/1.1',
    run: (found) => onServer(false, curlWith(found, ['--http1.1'])),
  },
  {
    tool: curl,
    name: 'curl before our server: HTTP/2 with prior knowledge',
    run: (found) => onServer(false, curlWith(found, ['--http2-prior-knowledge'])),
  },
  {
    tool: curl,
    name: 'curl before our server: HTTP/2 asked for by Upgrade, which is not heeded',
    run: (found) => onServer(false, curlWith(found, ['--http2'])),
  },
  {
    tool: curl,
    name: 'curl before our server: HTTP/1.1 over TLS',
    run: (found) => onServer(true, curlWith(found, ['--http1.1'])),
  },
  {
    tool: curl,
    name: 'curl before our server: HTTP/2 over TLS, by ALPN',
    run: (found) => onServer(true, curlWith(found, ['--http2'])),
  },
  {
    tool: curl,
    name: 'curl before our server: Expect, trailers',
    run: (found) => onServer(false, expects(found)),
  },
  {
    tool: nghttp,
    name: 'nghttp before our server: with prior knowledge',
    run: (found) => onServer(false, nghttpWith(found)),
  },
  {
    tool: nghttp,
    name: 'nghttp before our server: over TLS',
    run: (found) => onServer(true, nghttpWith(found)),
  },
  {
    tool: h2load,
    name: 'h2load before our server: 2000 requests on 10 connections, 20 at once',
    run: (found) => onServer(false, loads(found, ['-n2000', '-c10', '-m20'])),
  },
  {
    tool: h2load,
    name: 'h2load before our server: HTTP/1.1, 1000 requests on 10 connections',
    run: (found) => onServer(false, loads(found, ['--h1', '-n1000', '-c10'])),
  },
  { tool: nginx, name: 'nginx with files, behind a proxy of ours', run: files },
];

type Use = (address: Place, url: string, trust: string) => Promise<void>;

/** Runs `use` beside a server of ours, with TLS or without. */
async function onServer(secure: boolean, use: Use): Promise<void> {
  const server = await started(undefined, secure ? { tls } : {});
  const folder = dataFolder('counterparts');
  const trust = path.join(folder, 'trust.pem');
  writeFileSync(trust, authority.certificate);
  try {
    const scheme = secure ? 'https' : 'http';
    await use(server.address, `${scheme}://localhost:${server.address.port}`, trust);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function said(found: Found, args: readonly string[]): Promise<string> {
  const ended = await run(found.path, args, { timeoutMs: 20_000 });
  assert.equal(ended.code, 0, lastWords(ended.output));
  return ended.output;
}

function curlWith(found: Found, version: readonly string[]): Use {
  return async ({ host, port }, url, trust) => {
    const resolve = `localhost:${port}:${host}`;
    const common = [
      '--silent',
      '--show-error',
      '--max-time',
      '15',
      '--cacert',
      trust,
      '--resolve',
      resolve,
      ...version,
    ];
    const ask = (...args: string[]): Promise<string> => said(found, [...common, ...args]);
    assert.equal(await ask(`${url}/hello`), 'hello GET');
    const http2 =
      version[0] === '--http2-prior-knowledge' || (version[0] === '--http2' && url.startsWith('https'));
    assert.equal(await ask('-o', '/dev/null', '-w', '%{http_version}', `${url}/hello`), http2 ? '2' : '1.1');
    assert.equal(digestOf(Buffer.from(await ask(`${url}/large`))), digestOf(large));
    const file = path.join(path.dirname(trust), 'upload');
    writeFileSync(file, upload);
    assert.equal(await ask('--data-binary', `@${file}`, `${url}/digest`), digestOf(upload));
    assert.equal(await ask('-T', file, `${url}/digest`), digestOf(upload));
    assert.match(await ask('-I', `${url}/hello`), /content-length: 10\r\n/);
    for (const [at, code] of [
      ['/nothing', '204'],
      ['/unmodified', '304'],
    ] as const)
      assert.equal(await ask('-o', '/dev/null', '-w', '%{http_code}', `${url}${at}`), code);
    // curl 7.88 fails here with any server, node:http2 among them.
    if (version[0] === '--http2-prior-knowledge') return;
    const urls = Array.from({ length: 10 }, () => `${url}/hello`);
    assert.equal(await ask('--parallel', '--no-progress-meter', ...urls), 'hello GET'.repeat(10));
  };
}

function expects(found: Found): Use {
  return async (_address, url) => {
    const asked = [
      '--silent',
      '--verbose',
      '--dump-header',
      '-',
      '--max-time',
      '15',
      '-H',
      'Expect: 100-continue',
      '-d',
      'four',
    ];
    const both = await said(found, [...asked, '--http1.1', `${url}/trailers`]);
    assert.match(both, /< HTTP\/1.1 100 Continue/);
    assert.match(both, /x-sum: 4/i);
    assert.match(await said(found, [...asked, '--http2-prior-knowledge', `${url}/trailers`]), /x-sum: 4/i);
  };
}

function nghttpWith(found: Found): Use {
  return async (_address, url, trust) => {
    const file = path.join(path.dirname(trust), 'upload');
    writeFileSync(file, upload);
    // It asks with priorities, padding and a window of its own.
    const odd = [
      '--no-verify-peer',
      '--padding=100',
      '--window-bits=20',
      '--connection-window-bits=20',
      '--weight=7',
    ];
    assert.equal(await said(found, [...odd, `${url}/hello`]), 'hello GET');
    assert.equal(await said(found, [...odd, `--data=${file}`, `${url}/digest`]), digestOf(upload));
    assert.match(
      await said(found, [...odd, '--trailer=x-sum: 9', `--data=${file}`, '-v', `${url}/echo`]),
      /shuttle/,
    );
    assert.match(
      await said(found, [...odd, '-v', '-m', '20', `${url}/hello`]),
      /SETTINGS_ENABLE_CONNECT_PROTOCOL\(0x08\):1/,
    );
  };
}

function loads(found: Found, args: readonly string[]): Use {
  return async (_address, url) => {
    const output = await said(found, [...args, `${url}/hello`]);
    const count = /-n(\d+)/.exec(args.join(' '))?.[1] ?? '';
    assert.ok(output.includes(`${count} succeeded, 0 failed, 0 errored, 0 timeout`), lastWords(output));
  };
}

/** A file of nginx's, whole, in part and not modified, by curl through a proxy of ours over HTTP/2. */
async function files(): Promise<void> {
  const found = await required(curl);
  const origin = await nginx.start({
    http: (listen, folder) => {
      writeFileSync(path.join(folder, 'large.txt'), large);
      return `server { listen ${listen.host}:${listen.port}; root ${folder}; gzip on; gzip_types text/plain; }`;
    },
  });
  const proxy = await proxyTo(origin.address, 'http1');
  try {
    const url = `http://127.0.0.1:${proxy.address.port}/large.txt`;
    const ask = (...args: string[]): Promise<string> =>
      said(found, ['--silent', '--show-error', '--max-time', '15', '--http2-prior-knowledge', ...args, url]);
    assert.equal(digestOf(Buffer.from(await ask())), digestOf(large));
    assert.equal(digestOf(Buffer.from(await ask('--compressed'))), digestOf(large));
    assert.equal(await ask('--range', '5-8'), Buffer.from(large.subarray(5, 9)).toString());
    const etag = /etag: (\S+)/i.exec(await ask('-I'))?.[1] ?? '';
    assert.match(etag, /^"/);
    const code = ['-o', '/dev/null', '-w', '%{http_code}'];
    assert.equal(await ask(...code, '-H', `If-None-Match: ${etag}`), '304');
    assert.equal(await ask(...code, '-X', 'DELETE'), '405');
  } finally {
    await proxy.stop();
    await origin.stop();
  }
}
