// No token is accepted that should not be: forged ones through a real gateway whose issuer serves its keys over HTTP,
// and Wycheproof's vectors of signatures, read in place beside the project.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, jsonAnswer, readGatewayConfig } from '@heddle/proxy';
import { verifySignature, isJwtAlgorithm, readKeySet, secretKey, type VerifyKey } from '@heddle/security';
import { MetricRegistry } from '@heddle/telemetry';
import { Fields, serve, wholeBody } from '@heddle/wire';
import { root } from '../../files.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { audience, issuer, type Keys, makeKeys, type TokenCase, tokenCases } from './jwt-cases.ts';

const backend = 'jwt';
const local = { host: '127.0.0.1', port: 0 };
const vectors = path.join(root, '..', 'shared', 'data', 'jose', 'json_web_signature_test.json');

/** Each token is a result. */
export const jwt: Contract = {
  backend,
  run: async () => [...(await throughGateway()), ...(await wycheproof())],
};

async function throughGateway(): Promise<ContractResult[]> {
  const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  const keys = makeKeys();
  const provider = await serve(async () => jsonAnswer(200, published(keys)), { runtime, address: local });
  const seen: string[] = [];
  const upstream = await serve(
    async ({ fields }) => {
      seen.push(fields.all('x-user-id').join());
      return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
    },
    { runtime, address: local },
  );
  const jwks = `http://127.0.0.1:${provider.address.port}/jwks`;
  const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
  const routes = [{ path: '/', upstream: `127.0.0.1:${upstream.address.port}`, auth: { any: ['jwt'] } }];
  const auth = { jwt: [{ issuer, audiences: [audience], algorithms, jwks }] };
  const config = readGatewayConfig(JSON.stringify({ auth, routes }), backend);
  const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
  const front = await serve(gateway.service, { runtime, address: local });
  const url = `http://127.0.0.1:${front.address.port}/`;
  try {
    const results: ContractResult[] = [];
    for (const each of tokenCases(keys, runtime.clock.wallMs())) {
      seen.length = 0;
      results.push(await resultOf(backend, '', each.name, () => check(each, url, seen)));
    }
    return results;
  } finally {
    await front.stop();
    await gateway.drain();
    await Promise.all([upstream.stop(), provider.stop()]);
  }
}

async function check({ token, accepted }: TokenCase, url: string, seen: readonly string[]): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'x-user-id': 'root' };
  const answer = await fetch(url, { headers });
  await answer.arrayBuffer();
  assert.deepEqual(seen, accepted ? ['ann'] : [], 'whom the upstream saw');
  assert.equal(answer.status, accepted ? 200 : 401);
}

function published({ rsa, ec, ed }: Keys): object {
  const jwk = (kid: string, { publicKey }: Keys['rsa']): object => ({
    kid,
    ...publicKey.export({ format: 'jwk' }),
  });
  return { keys: [jwk('rsa', rsa), jwk('ec', ec), jwk('ed', ed)] };
}

interface Vectors {
  readonly testGroups: readonly {
    readonly public?: Record<string, unknown>;
    readonly private?: Record<string, unknown>;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly jws: string;
      readonly result: string;
    }[];
  }[];
}

async function wycheproof(): Promise<ContractResult[]> {
  if (!existsSync(vectors)) {
    const detail = `the vectors in ${path.relative(root, vectors)} are not there`;
    return [{ backend, version: '', case: 'Wycheproof', status: 'skipped', detail }];
  }
  const { testGroups } = JSON.parse(readFileSync(vectors, 'utf8')) as Vectors;
  const results: ContractResult[] = [];
  for (const group of testGroups) {
    const keys = keysOf(group.public ?? group.private ?? {});
    for (const { tcId, comment, jws, result } of group.tests) {
      const name = `Wycheproof ${tcId}: ${comment}`;
      const holds = result === 'valid';
      const detail = holds ? refusedOnPurpose(jws, comment) : contradicted(jws, group.tests);
      if (detail !== undefined) {
        // What is refused on purpose is refused; what contradicts itself is only said.
        if (holds) assert.equal(verifySignature(jws, keys), false, name);
        results.push({ backend, version: '', case: name, status: 'unsupported', detail });
        continue;
      }
      const run = async (): Promise<void> => assert.equal(verifySignature(jws, keys), holds);
      results.push(await resultOf(backend, '', name, run));
    }
  }
  return results;
}

/** Why a valid signature is refused all the same. */
function refusedOnPurpose(jws: string, comment: string): string | undefined {
  if (comment === 'emptyPayload') return 'a token without content says nothing';
  if (comment === 'Figure20') return 'signed by PS384 with a key that is for PS256 or RS256 only';
  if (comment === 'Figure27') return 'the key says ES521, which is no registered algorithm';
  return /^[\w.-]+$/.test(jws) ? undefined : 'a character that is not of base64url';
}

/** Two vectors of this version of the file are letter by letter the first valid one. */
function contradicted(jws: string, tests: Vectors['testGroups'][number]['tests']): string | undefined {
  const same = tests.find((each) => each.jws === jws && each.result === 'valid');
  return same === undefined
    ? undefined
    : `said to be invalid, but the same text as the valid vector ${same.tcId}`;
}

/** The group's key as a gateway would take it; none where it is refused. */
function keysOf(jwk: Record<string, unknown>): readonly VerifyKey[] {
  const { kty, alg, k } = jwk;
  try {
    if (kty !== 'oct') return readKeySet({ keys: [jwk] });
    return isJwtAlgorithm(alg) ? [secretKey(Buffer.from(String(k), 'base64url'), alg)] : [];
  } catch {
    return [];
  }
}
