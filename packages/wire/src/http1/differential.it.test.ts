// The same bytes for our server and for node:http (llhttp): where both serve, they serve the same. A difference here
// is what request smuggling is made of: a proxy that reads one thing and a backend that reads another.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, describe, it } from 'node:test';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { readRequests } from './testdata/read-requests.ts';
import { requestCases } from './testdata/request-cases.ts';
import { wildRequests } from './testdata/wild-requests.ts';

interface NodeReading {
  readonly served: string[];
  closes: boolean;
}

const readings = new WeakMap<object, NodeReading>();
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const content = Buffer.concat(chunks).toString('latin1');
    const { method, url, headers } = request;
    const served = `${method} ${headers.host ?? ''} ${url}${content === '' ? '' : ` ${content}`}`;
    readings.get(request.socket)?.served.push(served);
    response.end('ok');
  });
});
server.on('clientError', (_error, socket) => {
  const reading = readings.get(socket);
  if (reading !== undefined) reading.closes = true;
  socket.destroy();
});
// As ours: the expectation is met at once, since the content is there.
server.on('checkContinue', (request, response) => server.emit('request', request, response));

/** What node:http makes of the bytes, over a connection without a socket. */
async function readByNode(bytes: string): Promise<NodeReading> {
  const reading: NodeReading = { served: [], closes: false };
  const connection = new Duplex({
    read: () => {},
    write: (_chunk, _encoding, done) => done(),
    final: (done) => {
      reading.closes = true;
      done();
    },
  });
  connection.on('error', () => {});
  connection.on('close', () => {
    reading.closes = true;
  });
  readings.set(connection, reading);
  server.emit('connection', connection);
  connection.push(Buffer.from(bytes, 'latin1'));
  // Pipelined requests come one by one, each after the answer to the last.
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  const result = { served: [...reading.served], closes: reading.closes };
  connection.destroy();
  return result;
}

/** Node gives the target as it came, ours has the path; and the same authority may be written in several ways. */
function plain(served: string): string {
  const [, method, authority = '', target = '', content = ''] =
    /^(\S*) (\S*) (\S*)([^]*)$/.exec(served) ?? [];
  const path = target.replace(/^http:\/\/[^/?]*/i, '');
  const slashed = path.startsWith('/') || target === '*' ? path : `/${path}`;
  return `${method} ${authority.toLowerCase().replace(/:80$/, '')} ${slashed}${content}`;
}

function agree(bytes: string, ours: { served: readonly string[]; closes: boolean }, node: NodeReading): void {
  const both = Math.min(ours.served.length, node.served.length);
  const text = JSON.stringify(bytes);
  for (let at = 0; at < both; at++) {
    assert.equal(
      plain(ours.served[at] as string),
      plain(node.served[at] as string),
      `request ${at + 1} of ${text}`,
    );
  }
  if (ours.served.length > both)
    assert.ok(node.closes, `node:http still waits where we have served: ${text}`);
  if (node.served.length > both) assert.ok(ours.closes, `we still wait where node:http has served: ${text}`);
}

describe('our server and node:http', () => {
  after(() => server.close());

  it('agree on the table of requests, where both serve', async () => {
    for (const { bytes } of requestCases) {
      // A node:http server hands upgrades out and reads no further, also if it has nobody to hand them to.
      if (bytes.includes('Upgrade: websocket')) continue;
      agree(bytes, await readRequests(bytes, []), await readByNode(bytes));
    }
  });

  it('agree on wild requests, where both serve', async () => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(wildRequests, async (bytes) => {
        const ours = await readRequests(bytes, []);
        served += ours.served.length;
        agree(bytes, ours, await readByNode(bytes));
      }),
      { numRuns: 1500 },
    );
    assert.ok(served > 200, `a property about what is served needs some to be served, not ${served}`);
  });
});
