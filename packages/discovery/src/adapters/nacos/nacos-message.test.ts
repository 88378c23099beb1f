import assert from 'node:assert/strict';
import { it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { PayloadSchema } from '../../gen/nacos/nacos_grpc_service_pb.ts';
import { checkAnswer, seal, unseal } from './nacos-message.ts';

it('the envelope is that of Nacos, byte by byte', () => {
  const bytes = toBinary(PayloadSchema, create(PayloadSchema, seal('T', { a: 1 }, { k: 'v' })));
  // metadata = 2 { type = 3, headers = 7 { 1, 2 } }, body = 3 { value = 2 }
  const expected = '12 0b 1a0154 3a06 0a016b 120176 1a 09 1207 7b2261223a317d';
  assert.equal(Buffer.from(bytes).toString('hex'), expected.replaceAll(' ', ''));
  assert.deepEqual(unseal(fromBinary(PayloadSchema, bytes)), { type: 'T', json: { a: 1 } });
});

it('what is no JSON object is refused', () => {
  for (const text of ['', '1', '{'])
    assert.throws(() => unseal(create(PayloadSchema, { body: { value: Buffer.from(text) } })), {
      reason: 'BAD_MESSAGE',
    });
});

it('refusals are typed: a connection that the server does not know is lost', () => {
  checkAnswer('X', { resultCode: 200 });
  const cases = [
    [301, 'unavailable', 'CONNECTION_LOST'],
    [403, 'permission_denied', 'REGISTRY_REFUSED'],
    [400, 'invalid_argument', 'REGISTRY_REFUSED'],
    [500, 'unavailable', 'REGISTRY_REFUSED'],
  ] as const;
  for (const [errorCode, code, reason] of cases)
    assert.throws(() => checkAnswer('X', { resultCode: 500, errorCode, message: 'm' }), { code, reason });
});
