import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, type Runtime } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, type HttpRequest, peer } from '@heddle/wire';
import { inRanges } from './address-range.ts';
import { addressOf } from './client-address.ts';
import { forwarded } from './forwarded.ts';

const { clock, timers } = new VirtualTime();
const runtime = { clock, timers, random: seededRandom(1), log: () => {} } as unknown as Runtime;

async function sentOn(
  trusted: readonly string[],
  from: string,
  headers: Record<string, string>,
): Promise<{ readonly fields: Fields; readonly client: string | undefined }> {
  const call = Call.root(runtime).set(peer, { address: { host: from, port: 1 } });
  let seen: HttpRequest | undefined;
  const req: HttpRequest = {
    method: 'GET',
    scheme: 'http',
    authority: 'shop.example:8080',
    path: '/',
    fields: Fields.of(headers),
    body: emptyBody,
  };
  await forwarded(trusted)(async (next) => {
    seen = next;
    return { status: 200, fields: new Fields(), body: emptyBody };
  })(req, call);
  return { fields: seen?.fields ?? new Fields(), client: addressOf(call) };
}

describe('what proxies in front say', () => {
  const claims = {
    'x-forwarded-for': '6.6.6.6, 9.9.9.9, 10.0.0.2',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.example',
    'x-forwarded-port': '443',
    forwarded: 'for=1.1.1.1',
    'x-user-id': 'root',
  };

  test('nobody is believed by default', async () => {
    const { fields, client } = await sentOn([], '10.0.0.1', claims);
    assert.equal(client, '10.0.0.1');
    assert.equal(fields.get('x-forwarded-for'), '10.0.0.1');
    assert.equal(fields.get('x-forwarded-proto'), 'http');
    assert.equal(fields.get('x-forwarded-host'), 'shop.example:8080');
    assert.equal(fields.get('x-forwarded-port'), '8080');
    assert.equal(fields.get('forwarded'), 'for=10.0.0.1;host="shop.example:8080";proto=http');
    assert.equal(fields.get('x-user-id'), undefined);
  });

  test('who is not trusted is not believed, whoever else is', async () => {
    const { fields, client } = await sentOn(['10.0.0.0/8'], '9.9.9.9', claims);
    assert.deepEqual([client, fields.get('x-forwarded-for')], ['9.9.9.9', '9.9.9.9']);
  });

  test('the client is the last on the way that is not trusted; what it claims before that is dropped', async () => {
    const { fields, client } = await sentOn(['10.0.0.0/8'], '10.0.0.1', claims);
    assert.equal(client, '9.9.9.9');
    assert.equal(fields.get('x-forwarded-for'), '9.9.9.9, 10.0.0.2, 10.0.0.1');
    assert.equal(fields.get('x-forwarded-proto'), 'https');
    assert.equal(fields.get('x-forwarded-host'), 'public.example');
    assert.equal(fields.get('x-forwarded-port'), '443');
    assert.equal(
      fields.get('forwarded'),
      'for=9.9.9.9, for=10.0.0.2, for=10.0.0.1;host="public.example";proto=https',
    );
    assert.equal(fields.get('x-user-id'), undefined);
  });

  for (const [said, client] of [
    ['unknown', '10.0.0.1'],
    ['9.9.9.9, unknown', '10.0.0.1'],
    ['', '10.0.0.1'],
    ['999.1.1.1', '10.0.0.1'],
    ['9.9.9.9:4711', '9.9.9.9'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['10.0.0.3', '10.0.0.3'],
  ] as const)
    test(`"${said}" from a trusted proxy means ${client}`, async () => {
      assert.equal((await sentOn(['10.0.0.0/8'], '10.0.0.1', { 'x-forwarded-for': said })).client, client);
    });

  test('what is no scheme, host or port is not passed on', async () => {
    const { fields } = await sentOn(['::1'], '::1', {
      'x-forwarded-proto': 'gopher',
      'x-forwarded-host': 'a b',
      'x-forwarded-port': 'x',
    });
    assert.equal(fields.get('x-forwarded-proto'), 'http');
    assert.equal(fields.get('x-forwarded-host'), 'shop.example:8080');
    assert.equal(fields.get('forwarded'), 'for="[::1]";host="shop.example:8080";proto=http');
  });

  for (const [range, inside, outside] of [
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.0.0.7', '10.0.0.7', '10.0.0.8'],
    ['0.0.0.0/0', '8.8.8.8', '::8'],
    ['10.0.0.0/8', '::ffff:10.1.1.1', '::ffff:11.1.1.1'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::1', '0:0:0:0:0:0:0:1', '::2'],
    ['fe80::/10', 'febf::1', 'fec0::1'],
  ] as const)
    test(`${range} holds ${inside}, not ${outside}`, () => {
      const holds = inRanges([range]);
      assert.deepEqual(
        [holds(inside), holds(outside), holds('no address'), holds('')],
        [true, false, false, false],
      );
    });
});
