import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import type { PendingLogin } from './login-session.ts';
import { OidcClient, type ProviderQuestion } from './oidc-client.ts';

const issuer = 'https://id.example';
const pair = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');

/** A provider that lies as it is told to: a real one does not. */
class Liar {
  readonly time = new VirtualTime();
  readonly questions: ProviderQuestion[] = [];
  readonly client: OidcClient;
  metadata: Record<string, unknown> = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
  };
  claims: Record<string, unknown> = {};
  key = pair.privateKey;
  tokens: Record<string, unknown> = {};
  pending: PendingLogin | undefined;

  constructor() {
    this.client = new OidcClient({
      clock: this.time.clock,
      random: seededRandom(3),
      ask: async (question) => {
        this.questions.push(question);
        return { status: 200, text: JSON.stringify(this.#answer(question)) };
      },
      issuer,
      clientId: 'shop',
      clientSecret: undefined,
      scopes: ['openid'],
      redirectUri: 'https://shop.example/callback',
      algorithms: ['EdDSA'],
      rolesClaim: 'roles',
      keptClaims: ['tenant'],
      keepAccessToken: false,
      onFailure: () => {},
    });
  }

  async begin(): Promise<PendingLogin> {
    this.pending = (await this.client.begin('/there')).pending;
    return this.pending;
  }

  async finish(change: Record<string, string> = {}): Promise<unknown> {
    const pending = this.pending ?? (await this.begin());
    return this.client.finish(new URLSearchParams({ code: 'c', state: pending.state, ...change }), pending);
  }

  #answer({ url }: ProviderQuestion): object {
    if (url.endsWith('openid-configuration')) return this.metadata;
    if (url.endsWith('/keys')) return { keys: [pair.publicKey.export({ format: 'jwk' })] };
    const exp = Math.floor(this.time.clock.wallMs() / 1000) + 60;
    const nonce = this.pending?.nonce;
    const claims = {
      iss: issuer,
      aud: 'shop',
      sub: 'ann',
      exp,
      nonce,
      tenant: 't1',
      secret: 's',
      ...this.claims,
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${part({ alg: 'EdDSA' })}.${part(claims)}`;
    const signature = sign(null, Buffer.from(input), this.key).toString('base64url');
    return {
      id_token: `${input}.${signature}`,
      access_token: 'a',
      refresh_token: 'r',
      expires_in: 60,
      ...this.tokens,
    };
  }
}

describe('a login', () => {
  test('keeps what was asked for, and sends the secret half of PKCE to the provider only', async () => {
    const liar = new Liar();
    const { pending, url } = await liar.client.begin('/there');
    liar.pending = pending;
    assert.ok(!url.includes(pending.verifier));
    const session = (await liar.finish()) as Record<string, unknown>;
    assert.deepEqual(
      [session['subject'], session['claims'], session['refreshToken']],
      ['ann', { tenant: 't1' }, 'r'],
    );
    assert.equal(session['accessToken'], undefined);
    assert.equal(
      liar.questions.find(({ form }) => form !== undefined)?.form?.['code_verifier'],
      pending.verifier,
    );
  });

  for (const [name, claims] of Object.entries({
    'another nonce': { nonce: 'x' },
    'no nonce': { nonce: undefined },
    'another audience': { aud: 'bank' },
    'several audiences and no azp': { aud: ['shop', 'bank'] },
    'given to another client': { aud: ['shop', 'bank'], azp: 'bank' },
    'another issuer': { iss: 'https://evil.example' },
    expired: { exp: 1 },
    nobody: { sub: undefined },
  }))
    test(`fails with an ID token of ${name}`, async () => {
      const liar = new Liar();
      liar.claims = claims;
      await assert.rejects(liar.finish(), { code: 'unauthenticated', reason: 'LOGIN_FAILED' });
    });

  test('fails with an ID token of another key, or none', async () => {
    const liar = new Liar();
    liar.key = other.privateKey;
    await assert.rejects(liar.finish(), { reason: 'LOGIN_FAILED' });
    liar.tokens = { id_token: undefined };
    await assert.rejects(liar.finish(), { reason: 'LOGIN_FAILED' });
  });

  test('fails after ten minutes', async () => {
    const liar = new Liar();
    await liar.begin();
    await liar.time.run(new Promise<void>((resolve) => void liar.time.timers.after(600_000, resolve)));
    await assert.rejects(liar.finish(), /too long/);
  });

  for (const change of [
    { issuer: 'https://evil.example' },
    { token_endpoint: 'http://id.example/token' },
    { jwks_uri: undefined },
    { code_challenge_methods_supported: ['plain'] },
    { response_types_supported: ['token'] },
  ])
    test(`does not begin at a provider with ${JSON.stringify(change)}`, async () => {
      const liar = new Liar();
      Object.assign(liar.metadata, change);
      await assert.rejects(liar.begin(), { reason: 'BAD_PROVIDER' });
    });

  test('is refreshed only for the same person', async () => {
    const liar = new Liar();
    const session = (await liar.finish()) as never;
    liar.claims = { sub: 'bob' };
    await assert.rejects(liar.client.refresh(session), { reason: 'LOGIN_FAILED' });
  });
});
