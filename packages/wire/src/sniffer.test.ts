import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from '@heddle/kernel';
import { HandConnection } from './http1/testdata/hand-connection.ts';
import { Sniffer } from './sniffer.ts';
import type { HttpProtocol } from './tls/application-protocol.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** What a sniffer makes of bytes, cut where `cuts` say, and what its owner then gets. */
function sniff(
  bytes: string,
  cuts: readonly number[],
): { spoken: HttpProtocol | undefined; got: string; events: string[] } {
  const socket = new HandConnection();
  const events: string[] = [];
  let spoken: HttpProtocol | undefined;
  let got = '';
  const owner = {
    spoken: (_sniffer: Sniffer, connection: Connection, protocol: HttpProtocol) => {
      spoken = protocol;
      connection.open({
        data: (chunk) => (got += Buffer.from(chunk).toString('latin1')),
        end: () => events.push('end'),
        drain: () => events.push('drain'),
        close: () => events.push('close'),
      });
    },
    refused: (reason: string) => events.push(reason),
    silent: () => events.push('silent'),
  };
  new Sniffer(socket, owner, 1000);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    socket.feed(bytes.slice(from, cut));
    from = cut;
  }
  socket.finish();
  socket.takeAll();
  socket.close();
  return { spoken, got, events };
}

describe('a sniffer', () => {
  it('knows HTTP/2 by its preface, wherever that is cut', () => {
    for (let cut = 0; cut <= preface.length; cut++) {
      const { spoken, got, events } = sniff(`${preface}frames`, [cut]);
      assert.deepEqual([spoken, got], ['http2', `${preface}frames`]);
      assert.deepEqual(events, ['end', 'drain', 'close']);
    }
  });

  it('takes all else for HTTP/1.1, at the first byte that differs, and loses none', () => {
    for (let at = 0; at < preface.length; at++) {
      const bytes = `${preface.slice(0, at)}#`;
      const { spoken, got } = sniff(
        bytes,
        Array.from({ length: at }, (_, cut) => cut),
      );
      assert.deepEqual([spoken, got], ['http1', bytes]);
    }
  });

  it('drops who leaves before saying enough, and who takes too long', () => {
    const { spoken, events } = sniff('PRI * HT', []);
    assert.deepEqual([spoken, events], [undefined, ['silent']]);
    const socket = new HandConnection();
    const counted: string[] = [];
    const refused = (reason: string): void => void counted.push(reason);
    const sniffer = new Sniffer(socket, { spoken: () => assert.fail(), refused, silent: () => {} }, 1000);
    sniffer.sweep(999);
    assert.equal(socket.destroyed, false);
    sniffer.sweep(1001);
    assert.equal(socket.destroyed, true);
    assert.deepEqual(counted, ['SILENT_CONNECTION']);
  });
});
