import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JuteReader } from './jute-reader.ts';
import { JuteWriter } from './jute-writer.ts';
import {
  authRequest,
  changeRequest,
  connectRequest,
  modes,
  multiRequest,
  opcodes,
  plainRequest,
  readConnectResponse,
  readMultiErrors,
  readNotification,
  readRequest,
  readStat,
  xids,
} from './requests.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex');
const noData = new Uint8Array(0);

// By hand from zookeeper.jute: int 4 bytes, long 8, boolean 1, ustring and buffer behind a length of 4.
describe('requests of ZooKeeper, byte by byte', () => {
  it('connect: protocol 0, last zxid, time-out, session, password, not read-only', () => {
    const fresh = connectRequest(0x1_0000_0002n, 10_000, undefined);
    const nothing = '00'.repeat(16);
    assert.equal(
      hex(fresh),
      `0000002d 00000000 0000000100000002 00002710 ${'00'.repeat(8)} 00000010 ${nothing} 00`.replaceAll(
        ' ',
        '',
      ),
    );
    const password = new Uint8Array(16).fill(0xab);
    const again = connectRequest(0n, 10_000, { id: 0x0100_0000_0000_0001n, password, timeoutMs: 1 });
    assert.equal(hex(again).slice(40), `0100000000000001 00000010 ${'ab'.repeat(16)} 00`.replaceAll(' ', ''));
  });

  it('ping, getChildren with a watch, and digest', () => {
    assert.equal(hex(plainRequest(xids.ping, opcodes.ping)), '00000008fffffffe0000000b');
    assert.equal(
      hex(readRequest(7, opcodes.getChildren, '/a', true)),
      '0000000f 00000007 00000008 00000002 2f61 01'.replaceAll(' ', ''),
    );
    assert.equal(
      hex(authRequest('digest', 'u:p')),
      '0000001d fffffffc 00000064 00000000 00000006 646967657374 00000003 753a70'.replaceAll(' ', ''),
    );
  });

  it('create: an ephemeral node for everybody, and a container with its own number', () => {
    const change = {
      kind: 'create',
      path: '/a',
      data: bytes('ff'),
      mode: modes.ephemeral,
      access: 'everybody',
    } as const;
    const acl = `00000001 0000001f 00000005 ${Buffer.from('world').toString('hex')} 00000006 ${Buffer.from('anyone').toString('hex')}`;
    assert.equal(
      hex(changeRequest(1, change)).slice(8),
      `00000001 00000001 00000002 2f61 00000001 ff ${acl} 00000001`.replaceAll(' ', ''),
    );
    const container = hex(changeRequest(1, { ...change, mode: modes.container }));
    assert.equal(container.slice(16, 24), '00000013');
    assert.equal(container.slice(-8), '00000004');
  });

  it('multi: each part behind its head, and an end', () => {
    const request = multiRequest(2, [{ kind: 'delete', path: '/a', version: 3 }]);
    assert.equal(
      hex(request).slice(8),
      '00000002 0000000e 00000002 00 ffffffff 00000002 2f61 00000003 ffffffff 01 ffffffff'.replaceAll(
        ' ',
        '',
      ),
    );
  });
});

describe('answers of ZooKeeper', () => {
  it('a session, or none where it has expired', () => {
    const head = (timeout: string, id: string): string =>
      `00000000 ${timeout} ${id} 00000010 ${'cd'.repeat(16)} 00`;
    const session = readConnectResponse(bytes(head('00002710', '0100000000000001')));
    assert.deepEqual(
      [session?.id, session?.timeoutMs, session?.password.length],
      [0x0100_0000_0000_0001n, 10_000, 16],
    );
    assert.equal(readConnectResponse(bytes(head('00000000', '0000000000000000'))), undefined);
  });

  it('a stat', () => {
    const writer = new JuteWriter().long(1n).long(2n).long(3n).long(1_700_000_000_000n).int(4).int(5).int(6);
    const packet = writer.long(7n).int(8).int(9).long(10n).packet();
    assert.deepEqual(readStat(new JuteReader(packet.subarray(4))), {
      czxid: 1n,
      mzxid: 2n,
      mtimeMs: 1_700_000_000_000,
      version: 4,
      owner: 7n,
      children: 9,
      pzxid: 10n,
    });
  });

  it('a multi that went through, and one that did not', () => {
    const end = 'ffffffff 01 ffffffff';
    const done = bytes(`00000002 00 00000000 00000001 00 00000000 00000002 2f61 ${end}`);
    assert.deepEqual(readMultiErrors(new JuteReader(done)), [undefined, undefined]);
    const failed = bytes(`ffffffff 00 ffffff99 ffffff99 ffffffff 00 fffffffe fffffffe ${end}`);
    assert.deepEqual(readMultiErrors(new JuteReader(failed)), [-103, -2]);
  });

  it('a notification', () => {
    assert.deepEqual(readNotification(new JuteReader(bytes('00000004 00000003 00000002 2f61'))), {
      path: '/a',
    });
  });

  it('that end too soon, or whose lengths cannot be, are refused', () => {
    for (const packet of ['0000', '00000004 2f61', '7fffffff', 'fffffffe'])
      assert.throws(() => new JuteReader(bytes(packet)).text(), { code: 'data_loss', reason: 'BAD_PACKET' });
    assert.throws(() => new JuteReader(bytes('7fffffff')).texts(), { reason: 'BAD_PACKET' });
    assert.deepEqual(new JuteReader(bytes('ffffffff')).buffer(), noData);
  });
});
