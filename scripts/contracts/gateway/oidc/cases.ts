// What a login must do and must not allow, by somebody with cookies and no screen.
import assert from 'node:assert/strict';
import { type Asked, sealedBy, type Site } from './site.ts';
import { type Arrived, type Sent, Visitor } from './visitor.ts';

/** One promise of the login. */
export interface LoginCase {
  readonly name: string;
  run(site: Site): Promise<void>;
}

const session = 'heddle-session';

/** All of them; each starts with a gateway of the usual configuration. */
export const loginCases: readonly LoginCase[] = [
  {
    name: 'a person is sent to log in, and comes back to the page that was asked for, with its query',
    run: async (site) => {
      const visitor = new Visitor();
      const arrived = await visitor.logIn(`${site.url}/buyers/7?a=1&b=%2F`);
      const asked = seen(arrived);
      assert.equal(asked.path, '/buyers/7?a=1&b=%2F');
      assert.equal(asked.fields['x-tenant'], 't1', 'a claim of the ID token');
      assert.equal(asked.fields['cookie'], undefined, 'the upstream sees no cookie of ours');
    },
  },
  {
    name: 'the question to the provider has state, nonce and PKCE by S256',
    run: async (site) => {
      const question = await begun(new Visitor(), site);
      const { searchParams: says } = question;
      assert.equal(`${question.origin}${question.pathname}`, `${site.issuer}/auth`);
      assert.deepEqual([says.get('response_type'), says.get('code_challenge_method')], ['code', 'S256']);
      for (const name of ['state', 'nonce', 'code_challenge'])
        assert.match(says.get(name) ?? '', /^[\w-]{43}$/);
      const other = await begun(new Visitor(), site);
      assert.notEqual(other.searchParams.get('state'), says.get('state'));
    },
  },
  {
    name: 'a session is HttpOnly, SameSite=Lax and for all paths; the login in progress is forgotten',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const kept = visitor.given.filter((line) => line.startsWith(session));
      assert.ok(kept.length >= 3, kept.join('\n'));
      for (const line of kept) assert.match(line, /; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
      assert.deepEqual(
        [...visitor.cookies.keys()].filter((name) => name.startsWith(session)),
        [session],
      );
    },
  },
  {
    name: 'other cookies go on to the upstream, ours do not, on open routes too',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      visitor.cookies.set('theme', 'dark');
      assert.equal(seen(await visitor.go(`${site.url}/open`)).fields['cookie'], 'theme=dark');
    },
  },
  {
    name: 'a program is refused with 401, and not sent anywhere',
    run: async (site) => {
      const answer = await new Visitor().ask(`${site.url}/`, { headers: { accept: 'application/json' } });
      assert.equal(answer.status, 401);
      const posted = await new Visitor().ask(`${site.url}/`, { method: 'POST', body: 'x' });
      assert.equal(posted.status, 401);
    },
  },
  {
    name: 'roles of the ID token are asked by access rules',
    run: async (site) => {
      const visitor = new Visitor();
      assert.equal((await visitor.logIn(`${site.url}/buyers`)).status, 200);
      assert.equal((await visitor.go(`${site.url}/admins`)).status, 403);
    },
  },
  {
    name: 'a session that was changed by one character is none',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const sealed = visitor.cookies.get(session) ?? '';
      for (const at of [0, 8, Math.floor(sealed.length / 2), sealed.length - 2]) {
        const changed = sealed[at] === 'A' ? 'B' : 'A';
        visitor.cookies.set(session, sealed.slice(0, at) + changed + sealed.slice(at + 1));
        assert.equal((await visitor.ask(`${site.url}/`)).status, 302, `changed at ${at}`);
        visitor.cookies.set(session, sealed);
      }
      assert.equal((await visitor.ask(`${site.url}/`)).status, 200);
    },
  },
  {
    name: 'a login in progress is no session, although sealed by the same secret',
    run: async (site) => {
      const visitor = new Visitor();
      await begun(visitor, site);
      const [pending = ''] = [...visitor.cookies]
        .filter(([name]) => name.includes('.login-'))
        .map(([, value]) => value);
      visitor.cookies.set(session, pending);
      assert.equal((await visitor.ask(`${site.url}/`)).status, 302);
    },
  },
  {
    name: 'secrets are rotated: a new one in front opens what the old one has sealed, and not without it',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const fresh = 'another-secret-of-the-sessions-of-this-test';
      await site.gateway({ secrets: { SESSION_SECRET: `${fresh},${sealedBy}` } });
      const old = await visitor.ask(`${site.url}/`);
      await site.gateway({ secrets: { SESSION_SECRET: fresh } });
      const gone = await visitor.ask(`${site.url}/`);
      assert.deepEqual([old.status, gone.status], [200, 302]);
    },
  },
  {
    name: 'expired tokens are refreshed once for ten requests at a time, and the upstream notices nothing',
    run: async (site) => {
      const visitor = new Visitor();
      await site.provider.ask('lifetime 1');
      await visitor.logIn(`${site.url}/`);
      await site.provider.ask('lifetime 3600');
      const before = await granted(site, 'refresh_token');
      const sealed = visitor.cookies.get(session) ?? '';
      await later(1100);
      const same = Array.from({ length: 10 }, () => withSession(sealed).ask(`${site.url}/`));
      const answers = await Promise.all(same);
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(await granted(site, 'refresh_token'), before + 1, 'one refresh');
      const renewed = answers[0]?.setCookies.find((line) => line.startsWith(`${session}=`));
      assert.ok(renewed !== undefined, 'the new session is kept');
      assert.equal(
        (await withSession(renewed.slice(session.length + 1).split(';')[0] ?? '').ask(`${site.url}/`)).status,
        200,
      );
    },
  },
  {
    name: 'without a refresh token the session is over when the tokens expire',
    run: async (site) => {
      await site.gateway({ oidc: { scopes: ['openid'] } });
      await site.provider.ask('lifetime 1');
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      await site.provider.ask('lifetime 3600');
      const sealed = visitor.cookies.get(session) ?? '';
      await until(async () => (await withSession(sealed).ask(`${site.url}/`)).status === 302);
    },
  },
  {
    name: 'a public client without a secret logs in by PKCE alone',
    run: async (site) => {
      await site.gateway({
        oidc: { clientId: 'public-shop', clientSecretEnv: 'NONE' },
        secrets: { NONE: 'x' },
      });
      assert.equal(
        (await new Visitor().logIn(`${site.url}/`)).status,
        403,
        'a secret that is not known is refused',
      );
      await site.gateway({ oidc: { clientId: 'public-shop', clientSecretEnv: undefined } });
      assert.equal((await new Visitor().logIn(`${site.url}/`)).status, 200);
    },
  },
  {
    name: 'a logout ends the session here and its refresh token at the provider',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const before = await granted(site, 'revoked');
      const out = await visitor.ask(`${site.url}/oauth2/logout`, {
        method: 'POST',
        headers: { origin: site.url },
      });
      assert.equal(out.status, 303);
      assert.match(out.location ?? '', /\/session\/end\?client_id=shop/);
      assert.equal(visitor.cookies.has(session), false);
      assert.equal(await granted(site, 'revoked'), before + 1);
    },
  },
  {
    name: 'nobody is logged out by a link, nor by a page of another site',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const url = `${site.url}/oauth2/logout`;
      const others: [string, Sent, number][] = [
        ['a link', {}, 405],
        ['nothing said', { method: 'POST' }, 403],
        ['another origin', { method: 'POST', headers: { origin: 'https://evil.test' } }, 403],
        [
          'another site',
          { method: 'POST', headers: { origin: site.url, 'sec-fetch-site': 'cross-site' } },
          403,
        ],
      ];
      for (const [name, init, status] of others)
        assert.equal((await visitor.ask(url, init)).status, status, name);
      assert.equal((await visitor.ask(`${site.url}/`)).status, 200);
    },
  },
  {
    name: 'what a page of another site makes the browser send is refused: changes',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      const post = async (headers: Record<string, string>): Promise<number> =>
        (await visitor.ask(`${site.url}/`, { method: 'POST', body: 'x', headers })).status;
      assert.equal(await post({ origin: 'https://evil.test' }), 403);
      assert.equal(await post({ 'sec-fetch-site': 'cross-site' }), 403);
      assert.equal(await post({ 'sec-fetch-site': 'same-site' }), 403);
      assert.equal(await post({ origin: site.url, 'sec-fetch-site': 'same-origin' }), 200);
    },
  },
  {
    name: 'a callback is good for the browser that has begun, and once',
    run: async (site) => {
      const visitor = new Visitor();
      const back = await visitor.bringBack(`${site.url}/`);
      assert.equal((await visitor.ask(back)).status, 400, 'again');
      assert.equal((await new Visitor().ask(back)).status, 400, 'in another browser');
    },
  },
  {
    name: 'a callback of another state, of another provider, with an error or twice the same is refused',
    run: async (site) => {
      const attempts: [string, (state: string) => string, number][] = [
        ['an error', (state) => `error=access_denied&state=${state}&iss=${site.issuer}`, 403],
        ['no iss although the provider has one', (state) => `code=x&state=${state}`, 403],
        ['another iss', (state) => `code=x&state=${state}&iss=https://evil.test`, 403],
        ['two codes', (state) => `code=x&code=y&state=${state}&iss=${site.issuer}`, 403],
        ['a code that nobody gave', (state) => `code=x&state=${state}&iss=${site.issuer}`, 403],
        [
          'the right beginning of the state',
          (state) => `code=x&state=${state.slice(0, 12)}&iss=${site.issuer}`,
          403,
        ],
        ['another state', () => `code=x&state=${'s'.repeat(43)}&iss=${site.issuer}`, 400],
        ['no state', () => `code=x&iss=${site.issuer}`, 400],
      ];
      for (const [name, query, status] of attempts) {
        const visitor = new Visitor();
        const state = (await begun(visitor, site)).searchParams.get('state') ?? '';
        const answer = await visitor.ask(`${site.url}/oauth2/callback?${query(state)}`);
        assert.equal(answer.status, status, name);
        assert.equal(visitor.cookies.has(session), false, name);
      }
    },
  },
  {
    name: 'nobody is led elsewhere: the way back is a path of this site',
    run: async (site) => {
      for (const target of ['//evil.test/x', '/\\evil.test', '/%2f%2fevil.test', '/x?next=//evil.test']) {
        const visitor = new Visitor();
        const begunAt = await visitor.ask(`${site.url}${target}`);
        if (begunAt.status === 400) continue;
        const arrived = await visitor.logIn(`${site.url}${target}`);
        assert.equal(new URL(arrived.url).origin, site.url, target);
      }
    },
  },
  {
    name: 'many logins that were begun and left do not fill the browser',
    run: async (site) => {
      const visitor = new Visitor();
      for (let count = 0; count < 12; count++) await begun(visitor, site);
      const pending = [...visitor.cookies.keys()].filter((name) => name.includes('.login-'));
      assert.ok(pending.length <= 5, `${pending.length} are kept`);
      assert.equal((await visitor.logIn(`${site.url}/`)).status, 200);
    },
  },
  {
    name: 'without its secrets the gateway does not start, and says which is missing',
    run: async (site) => {
      for (const name of ['SESSION_SECRET', 'CLIENT_SECRET'])
        await assert.rejects(site.gateway({ secrets: { [name]: '' } }), {
          reason: 'MISSING_SECRET',
          message: new RegExp(name),
        });
      await assert.rejects(site.gateway({ secrets: { SESSION_SECRET: 'short' } }), { reason: 'WEAK_SECRET' });
    },
  },
  {
    name: 'the access token goes to the upstream only if that is asked for',
    run: async (site) => {
      const without = await new Visitor().logIn(`${site.url}/`);
      assert.equal(seen(without).fields['authorization'], undefined);
      await site.gateway({ oidc: { forwardToken: true } });
      const visitor = new Visitor();
      const token = seen(await visitor.logIn(`${site.url}/`)).fields['authorization'] ?? '';
      assert.match(token, /^Bearer \S{20,}$/);
    },
  },
  {
    name: 'while the provider is away, who is logged in goes on and nobody else comes in',
    run: async (site) => {
      const visitor = new Visitor();
      await visitor.logIn(`${site.url}/`);
      await site.provider.ask('down');
      try {
        assert.equal((await visitor.ask(`${site.url}/`)).status, 200);
        await site.gateway();
        assert.equal((await visitor.ask(`${site.url}/`)).status, 200, 'after a restart of the gateway too');
        assert.equal((await new Visitor().ask(`${site.url}/`)).status, 503);
      } finally {
        await site.provider.ask('up');
      }
    },
  },
];

function seen({ text, status }: Arrived): Asked {
  assert.equal(status, 200, text.slice(0, 300));
  return JSON.parse(text) as Asked;
}

/** Asks for a page and gives where the provider is asked. */
async function begun(visitor: Visitor, site: Site): Promise<URL> {
  const answer = await visitor.ask(`${site.url}/`);
  assert.equal(answer.status, 302);
  return new URL(answer.location ?? '');
}

function withSession(sealed: string): Visitor {
  const visitor = new Visitor();
  visitor.cookies.set(session, sealed);
  return visitor;
}

/** Waits until the tokens of a second have expired: nothing tells, since being asked is what renews them. */
async function later(ms: number): Promise<void> {
  const startedMs = performance.now();
  await until(async () => performance.now() - startedMs > ms);
}

async function granted({ provider }: Site, what: string): Promise<number> {
  const counts = JSON.parse(await provider.ask('counts')) as Record<string, number>;
  return counts[what] ?? 0;
}

/** Asks again and again; gives up after half a minute. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, 'it does not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
