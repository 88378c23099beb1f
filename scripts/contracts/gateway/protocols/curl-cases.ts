// curl over HTTP/1.1 and HTTP/2: compression, streams that are not held up, and what is refused.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { run } from '../../../engines/command.ts';
import { curl } from '../../../engines/curl.ts';
import { isMissing, obtain, required } from '../../../engines/engine.ts';
import { longText, type Stage, timeoutMs } from './stage.ts';
import type { ProtocolCase } from './transcoding-cases.ts';

const versions = { 'HTTP/1.1': '--http1.1', 'HTTP/2': '--http2-prior-knowledge' };

/** All of them. */
export const curlCases: readonly ProtocolCase[] = Object.entries(versions).flatMap(([version, flag]) => {
  const head = async (stage: Stage, target: string, ...more: string[]): Promise<Record<string, string>> => {
    const text = await output([
      flag,
      '--silent',
      '--dump-header',
      '-',
      '--output',
      '/dev/null',
      ...more,
      stage.url + target,
    ]);
    return headOf(text);
  };
  return [
    {
      name: `curl, ${version}: an answer is compressed by what the client likes, and is the same`,
      run: async (stage) => {
        const encodings: [string, string | undefined][] = [
          ['gzip', 'gzip'],
          ['br', 'br'],
          ['gzip, br', 'br'],
          ['gzip;q=1, br;q=0.5', 'gzip'],
          ['*', 'br'],
          ['gzip;q=0, br;q=0', undefined],
          ['identity', undefined],
          ['zstd', undefined],
        ];
        for (const [accept, expected] of encodings) {
          const got = await head(stage, '/text', '--header', `accept-encoding: ${accept}`);
          assert.equal(got['content-encoding'], expected, accept);
          assert.equal(got['vary'], 'accept-encoding', accept);
        }
        assert.equal(await output([flag, '--silent', '--compressed', `${stage.url}/text`]), longText);
      },
    },
    {
      name: `curl, ${version}: what must stay as it is stays as it is`,
      run: async (stage) => {
        const ask = (target: string): Promise<Record<string, string>> =>
          head(stage, target, '--header', 'accept-encoding: gzip, br');
        for (const target of ['/picture', '/kept', '/short', '/quiet/text'])
          assert.equal((await ask(target))['content-encoding'], undefined, target);
        assert.equal((await ask('/already'))['content-encoding'], 'gzip', 'not twice');
        const once = await output([flag, '--silent', '--compressed', `${stage.url}/already`]);
        assert.equal(once, longText);
        assert.equal((await ask('/tagged'))['etag'], 'W/"strong"');
        assert.equal(
          (await head(stage, '/text', '--head', '--header', 'accept-encoding: gzip'))['content-encoding'],
          undefined,
        );
      },
    },
    {
      name: `curl, ${version}: events and pieces come when they are there, longer than the timeout of the route`,
      run: async (stage) => {
        await comesPieceByPiece(
          stage,
          [flag, '--header', 'accept: text/event-stream'],
          '/events',
          timeoutMs + 500,
        );
        await comesPieceByPiece(stage, [flag, '--compressed'], '/drip', 0);
      },
    },
  ] satisfies ProtocolCase[];
});

/** By raw requests. */
export const tunnelCases: readonly ProtocolCase[] = [
  {
    name: 'tunnels: a WebSocket needs a route for it, a known caller where one is demanded, and rules see GET',
    run: async ({ url }) => {
      const statuses: Record<string, number> = {};
      for (const target of ['/chat', '/no-chat', '/chat/denied', '/chat/known', '/nowhere-else'])
        statuses[target] = await upgraded(`${url}${target}`, 'websocket');
      statuses['another protocol'] = await upgraded(`${url}/chat`, 'h2c-of-mine');
      assert.deepEqual(statuses, {
        '/chat': 101,
        '/no-chat': 501,
        '/chat/denied': 403,
        '/chat/known': 401,
        '/nowhere-else': 501,
        'another protocol': 501,
      });
    },
  },
];

async function comesPieceByPiece(
  stage: Stage,
  flags: readonly string[],
  target: string,
  waitMs: number,
): Promise<void> {
  const { path } = await required(curl);
  const child = spawn(path, [...flags, '--silent', '--no-buffer', '--max-time', '60', stage.url + target]);
  try {
    let got = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      got += text;
    });
    const startedMs = performance.now();
    await until(() => stage.drip('data: first\n\n') > 0);
    await until(() => got.includes('first'));
    await until(() => performance.now() - startedMs > waitMs);
    stage.drip('data: second\n\n');
    await until(() => got.includes('second'));
  } finally {
    child.kill();
    await once(child, 'exit');
    await until(() => stage.drip('') === 0);
  }
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < giveUpAt, 'it does not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function output(args: readonly string[]): Promise<string> {
  const { path } = await required(curl);
  const ended = await run(path, [...args, '--max-time', '60'], { timeoutMs: 90_000 });
  assert.equal(ended.code, 0, ended.output.slice(0, 300));
  return ended.output;
}

/** The fields of the last head in it. */
function headOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return fields;
}

function upgraded(url: string, protocol: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: protocol,
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const sent = request(url, { headers, agent: false });
    sent.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode ?? 0)));
    sent.on('error', reject).end();
  });
}

/** Why curl cannot be had; undefined if it can. */
export async function noCurl(): Promise<string | undefined> {
  const found = await obtain(curl);
  return isMissing(found) ? found.missing : undefined;
}
