// Opaque tokens of the real provider, which is asked about each.
import assert from 'node:assert/strict';
import type { LoginCase } from './cases.ts';
import type { Site } from './site.ts';

const basic = `Basic ${Buffer.from(`shop:${encodeURIComponent('a secret: with/odd+characters').replaceAll('%20', '+')}`).toString('base64')}`;

/** RFC 7662, through the gateway. */
export const introspectionCases: readonly LoginCase[] = [
  {
    name: 'introspection: a token is good until it is revoked, and others never',
    run: async (site) => {
      const token = await issued(site);
      assert.equal(await status(site, token), 200);
      assert.equal(await status(site, `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`), 401);
      assert.equal(await status(site, undefined), 401);
      await revoked(site, token);
      assert.equal(await status(site, token), 401);
    },
  },
  {
    name: 'introspection: an answer is remembered as long as the configuration says, and no longer than the token lives',
    run: async (site) => {
      await site.gateway({ auth: { introspection: asking(site, { cacheMs: 3_600_000 }) } });
      const token = await issued(site);
      assert.equal(await status(site, token), 200);
      await revoked(site, token);
      assert.equal(await status(site, token), 200, 'remembered');
      await site.provider.ask('lifetime 1');
      const short = await issued(site);
      await site.provider.ask('lifetime 3600');
      assert.equal(await status(site, short), 200);
      const giveUpAt = performance.now() + 30_000;
      while ((await status(site, short)) !== 401) assert.ok(performance.now() < giveUpAt, 'it has expired');
    },
  },
  {
    name: 'introspection: while the provider is away nobody comes in (503), or who was good a moment ago (stale)',
    run: async (site) => {
      const token = await issued(site);
      const outcomes: number[] = [];
      for (const more of [{}, { onFailure: 'stale', staleMs: 3_600_000 }]) {
        await site.gateway({ auth: { introspection: asking(site, { cacheMs: 0, ...more }) } });
        outcomes.push(await status(site, token));
        await site.provider.ask('down');
        outcomes.push(await status(site, token), await status(site, 'unknown'));
        await site.provider.ask('up');
      }
      assert.deepEqual(outcomes, [200, 503, 503, 200, 200, 503]);
    },
  },
  {
    name: 'introspection: a gateway that the provider does not know lets nobody in',
    run: async (site) => {
      await site.gateway({
        secrets: { OTHER: 'wrong' },
        auth: { introspection: asking(site, { clientSecretEnv: 'OTHER' }) },
      });
      assert.equal(await status(site, await issued(site)), 503);
    },
  },
];

function asking({ issuer }: Site, more: object): object {
  const url = `${issuer}/token/introspection`;
  return { url, clientId: 'shop', clientSecretEnv: 'CLIENT_SECRET', ...more };
}

async function issued({ issuer }: Site): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const answer = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization: basic }, body });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  assert.ok(token !== undefined, 'the provider gives a token');
  return token;
}

async function revoked({ issuer }: Site, token: string): Promise<void> {
  const body = new URLSearchParams({ token });
  const url = `${issuer}/token/revocation`;
  assert.equal((await fetch(url, { method: 'POST', headers: { authorization: basic }, body })).status, 200);
}

async function status({ url }: Site, token: string | undefined): Promise<number> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}
