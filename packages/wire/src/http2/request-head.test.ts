import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpRequest } from '../message/http.ts';
import { errorCode } from './error-code.ts';
import { data, get, headers } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

/** A server that records what reaches its service. */
function watched(): { seen: HttpRequest[]; hand: ByHand } {
  const seen: HttpRequest[] = [];
  const hand = new ByHand(async (request) => {
    seen.push(request);
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  return { seen, hand };
}

describe('malformed requests are refused and reach nobody', () => {
  const [method, scheme, path, authority] = get() as [
    [string, string],
    [string, string],
    [string, string],
    [string, string],
  ];
  const plain = [method, scheme, path, authority];
  const cases: readonly (readonly [why: string, fields: readonly (readonly [string, string])[]])[] = [
    ['an upper-case name', [...plain, ['X-A', '1']]],
    ['a name with a space', [...plain, ['x a', '1']]],
    ['an empty name', [...plain, ['', '1']]],
    ['CR LF in a value', [...plain, ['x-a', 'a\r\nb']]],
    ['NUL in a value', [...plain, ['x-a', 'a\0b']]],
    ['white space before a value', [...plain, ['x-a', ' a']]],
    ['white space after a value', [...plain, ['x-a', 'a\t']]],
    ['connection', [...plain, ['connection', 'close']]],
    ['keep-alive', [...plain, ['keep-alive', '1']]],
    ['proxy-connection', [...plain, ['proxy-connection', 'close']]],
    ['transfer-encoding', [...plain, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...plain, ['upgrade', 'h2c']]],
    ['te other than trailers', [...plain, ['te', 'gzip']]],
    ['two methods', [method, ...plain]],
    ['two paths', [...plain, path]],
    ['two authorities', [...plain, authority]],
    ['an unknown pseudo-field', [...plain, [':version', '2']]],
    ["a response's pseudo-field", [...plain, [':status', '200']]],
    ['a pseudo-field after a field', [method, scheme, path, ['x-a', '1'], authority]],
    ['a pseudo-field after content-length', [method, scheme, path, ['content-length', '0'], authority]],
    ['no method', [scheme, path, authority]],
    ['no scheme', [method, path, authority]],
    ['no path', [method, scheme, authority]],
    ['no authority and no host', [method, scheme, path]],
    ['a method that is no token', [[':method', 'G ET'], scheme, path, authority]],
    ['a scheme of another kind', [method, [':scheme', 'ftp'], path, authority]],
    ['an empty path', [method, scheme, [':path', ''], authority]],
    ['a path without a slash', [method, scheme, [':path', 'svc/Method'], authority]],
    ['* for GET', [method, scheme, [':path', '*'], authority]],
    ['a fragment', [method, scheme, [':path', '/a#b'], authority]],
    ['a space in the path', [method, scheme, [':path', '/a b'], authority]],
    ['an octet beyond ASCII in the path', [method, scheme, [':path', '/\u00e9'], authority]],
    ['user information', [method, scheme, path, [':authority', 'user@test']]],
    ['an empty authority', [method, scheme, path, [':authority', '']]],
    ['an octet in the authority that no host has', [method, scheme, path, [':authority', 'a.|b']]],
    ['a port that is none', [method, scheme, path, [':authority', 'test:x']]],
    ['a path in the authority', [method, scheme, path, [':authority', 'test/x']]],
    ['a host that contradicts the authority', [...plain, ['host', 'other']]],
    ['two hosts', [method, scheme, path, ['host', 'test'], ['host', 'test']]],
    ['two content-lengths', [...plain, ['content-length', '0'], ['content-length', '0']]],
    ['a list of content-lengths', [...plain, ['content-length', '0, 0']]],
    ['a signed content-length', [...plain, ['content-length', '+0']]],
    ['a content-length and no content', [...plain, ['content-length', '1']]],
    ['CONNECT with a path', [[':method', 'CONNECT'], scheme, path, authority]],
    [':protocol without CONNECT', [...plain.slice(0, 3), [':protocol', 'websocket'], authority]],
  ];
  for (const [why, fields] of cases) {
    test(why, async () => {
      const { seen, hand } = watched();
      await hand.begin(headers(1, fields));
      assert.equal(hand.log.resetOf(1), errorCode.protocolError);
      assert.equal(seen.length, 0);
      assert.equal(hand.server.abuse.faults, 1);
      hand.feed(headers(3, get()));
      await hand.turn();
      assert.equal(seen.length, 1, 'the connection goes on');
    });
  }

  const contents: readonly (readonly [why: string, frames: readonly Buffer[]])[] = [
    ['less content than announced', [data(1, 'abc', true)]],
    ['more content than announced', [data(1, 'abcdef')]],
    ['trailers that come too early', [data(1, 'abc'), headers(1, [['x-a', '1']])]],
    ['a pseudo-field in trailers', [data(1, 'abcde'), headers(1, [[':path', '/']])]],
    ['trailers that do not end the stream', [data(1, 'abcde'), headers(1, [['x-a', '1']], false)]],
  ];
  for (const [why, frames] of contents) {
    test(why, async () => {
      const { seen, hand } = watched();
      await hand.begin(headers(1, [...plain, ['content-length', '5']], false), ...frames);
      assert.equal(hand.log.resetOf(1), errorCode.protocolError);
      assert.equal(seen.length, 0);
    });
  }
});
