// What must hold between any client and `service`, with whatever stands between them.
import assert from 'node:assert/strict';
import { digestOf, large } from './subject.ts';
import type { Way } from './ways.ts';

/** By name; each rejects with what is wrong. */
export type Checks = Readonly<Record<string, (way: Way) => Promise<void>>>;

/** For HTTP of any version. */
export const httpChecks: Checks = {
  'small and large answers': async (way) => {
    const small = await way.ask({ path: '/hello?a=b' });
    assert.deepEqual([small.status, small.content.toString()], [200, 'hello GET']);
    const big = await way.ask({ path: '/large' });
    assert.equal(digestOf(big.content), digestOf(large));
    assert.equal((await way.ask({ path: '/elsewhere' })).status, 404);
  },
  'content both ways': (way) => contentBothWays(way, 700_000),
  'HEAD, 204 and 304': async (way) => {
    const head = await way.ask({ method: 'HEAD', path: '/hello' });
    assert.deepEqual([head.status, head.content.length], [200, 0]);
    assert.equal(head.headers['content-length'], String('hello HEAD'.length));
    for (const [path, status] of [
      ['/nothing', 204],
      ['/unmodified', 304],
      ['/hello', 200],
    ] as const) {
      const reply = await way.ask({ path });
      assert.deepEqual([reply.status, reply.content.length], [status, status === 200 ? 9 : 0], path);
    }
  },
  '100 at once': async (way) => {
    const contents = Array.from({ length: 100 }, (_, turn) => Buffer.alloc(turn * 331, turn));
    const asked = contents.map((content) => way.ask({ method: 'POST', path: '/digest', content }));
    for (const [turn, reply] of (await Promise.all(asked)).entries())
      assert.equal(reply.content.toString(), digestOf(contents[turn] as Buffer), `request ${turn}`);
  },
};

/** Content of that size is uploaded, and echoed. */
export async function contentBothWays(way: Way, size: number): Promise<void> {
  const content = Buffer.alloc(size, 'thread by thread ');
  const question = { method: 'POST', path: '/digest', content };
  assert.equal((await way.ask(question)).content.toString(), digestOf(content));
  const echoed = await way.ask({ ...question, method: 'PUT', path: '/echo', headers: { 'x-seen': 'yes' } });
  assert.equal(digestOf(echoed.content), digestOf(content));
  assert.equal(echoed.headers['x-seen'], 'yes');
}

/** Where nothing that drops trailers is in between. */
export const trailerChecks: Checks = {
  'trailers both ways': async (way) => {
    const headers = { te: 'trailers', 'transfer-encoding': 'chunked' };
    const question = { method: 'POST', path: '/trailers', content: Buffer.from('four') };
    const reply = await way.ask({ ...question, headers: forHttp1(way, headers), trailers: { 'x-sum': '9' } });
    assert.deepEqual(
      [reply.content.toString(), reply.trailers['x-sum'], reply.trailers['x-got']],
      ['x', '4', '9'],
    );
  },
};

/** Where trailers come back, and may not go forth. */
export const answerTrailerChecks: Checks = {
  'trailers of answers': async (way) => {
    const question = {
      method: 'POST',
      path: '/trailers',
      content: Buffer.from('four'),
      headers: { te: 'trailers' },
    };
    assert.equal((await way.ask(question)).trailers['x-sum'], '4');
  },
};

function forHttp1(way: Way, headers: Record<string, string>): Record<string, string> {
  return way.http1 === true ? headers : { te: 'trailers' };
}
