// HTTP/2: the table of floods, and those who hold on to what they have got instead.
import assert from 'node:assert/strict';
import { type ErrorCode, errorCode, errorCodeName } from '../../../../packages/wire/src/http2/error-code.ts';
import { flag, frameType } from '../../../../packages/wire/src/http2/frame.ts';
import { type Flood, floods, odd, waiting } from '../../../../packages/wire/src/http2/testdata/floods.ts';
import {
  block,
  data,
  FrameLog,
  frame,
  get,
  headers,
  hello,
  settings,
  uint32,
} from '../../../../packages/wire/src/http2/testdata/raw-frames.ts';
import type { Attack } from './attacker.ts';

const hundred = Array.from({ length: 100 }, (_, turn) => odd(turn));
const largestWindow = 0x7fff_ffff - 65_535;

/** All of them. */
export const http2Attacks: readonly Attack[] = [
  ...floods.map(ofTable),
  {
    name: 'a window that overflows on stream 0',
    counted: false,
    act: (attacker) => attacker.send(hello, frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_ffff))),
    judge: goneAway(errorCode.flowControlError),
  },
  {
    name: 'large headers held on 100 streams, 10 connections',
    // The limits let ten connections hold 32 MiB of fields; garbage that is not yet swept up comes on top.
    mostGrowthMib: 128,
    connections: 10,
    act: (attacker) => {
      const large: [string, string] = ['x-large', 'v'.repeat(15_000)];
      attacker.send(hello, ...hundred.map((id) => headers(id, [...get(), large], false)));
    },
    judge: allReset(errorCode.cancel),
  },
  {
    name: 'responses under a window of zero, 10 connections',
    connections: 10,
    act: (attacker) =>
      attacker.send(hello, settings([4, 0]), ...hundred.map((id) => headers(id, get('/large')))),
    judge: allReset(errorCode.cancel),
  },
  {
    name: 'responses that are not read, 10 connections',
    connections: 10,
    act: (attacker) => {
      attacker.stopReading(4000);
      const windows = [
        settings([4, 0x7fff_ffff]),
        frame(frameType.windowUpdate, 0, 0, uint32(largestWindow)),
      ];
      attacker.send(hello, ...windows, ...hundred.map((id) => headers(id, get('/large'))));
    },
    // Whoever does not read is not told.
    judge: () => {},
  },
  {
    name: 'slow headers: a block that stops half-way',
    act: (attacker) =>
      attacker.send(hello, frame(frameType.headers, flag.endStream, 1, block(get()).subarray(0, 2))),
    judge: goneAway(errorCode.enhanceYourCalm),
  },
  {
    name: 'slow start: half a preface',
    act: (attacker) => attacker.send(hello.subarray(0, 10)),
    judge: (said) => assert.equal(said.length, 0, 'bytes said to a stranger'),
  },
  {
    name: 'settings that are never acknowledged',
    act: (attacker) => attacker.send(hello.subarray(0, 24), settings()),
    judge: goneAway(errorCode.settingsTimeout),
  },
  {
    name: 'slow bodies: one byte, then silence, on 100 streams',
    act: (attacker) =>
      attacker.send(hello, ...hundred.flatMap((id) => [headers(id, get(), false), data(id, 'x')])),
    judge: allReset(errorCode.cancel),
  },
  {
    name: 'a connection that is never used, 200 of them',
    counted: false,
    connections: 200,
    act: (attacker) => attacker.send(hello),
    judge: goneAway(errorCode.noError),
  },
];

function ofTable({ name, first = [], turn, service }: Flood): Attack {
  return {
    name,
    answer: service === waiting ? 'never' : 'nothing',
    act: (attacker) => {
      attacker.send(hello, ...first);
      attacker.flood(turn);
    },
    judge: goneAway(errorCode.enhanceYourCalm),
  };
}

function goneAway(code: ErrorCode): Attack['judge'] {
  return (said, logged) => {
    const { goaway } = logOf(said);
    const read = goaway === undefined ? logged : errorCodeName(goaway);
    assert.equal(read, errorCodeName(code), 'the code of GOAWAY');
  };
}

/** Each stream was given up, with that code, or the whole connection for costing too much. */
function allReset(code: ErrorCode): Attack['judge'] {
  return (said) => {
    const log = logOf(said);
    if (log.goaway === errorCode.enhanceYourCalm) return;
    const codes = new Set(hundred.map((id) => log.resetOf(id)));
    assert.deepEqual([...codes], [code], 'the codes of RST_STREAM');
  };
}

function logOf(said: Buffer): FrameLog {
  const log = new FrameLog();
  log.read(said);
  return log;
}
