// The OpenID provider `oidc-provider` with its own pages for login and consent, as a peer (see engines/peer.ts). Lines:
// `client <origin>` begins to serve a client at that origin; `lifetime <s>` sets how long access tokens live;
// `counts` tells how often each grant was given; `down` and `up` cut it off and bring it back.
import { createServer } from 'node:http';
import process from 'node:process';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const counts = {};
let lifetime = 3600;
let serve = (_request, response) => response.writeHead(503).end();
let isDown = false;

const server = createServer((request, response) => {
  if (isDown) request.socket.destroy();
  else serve(request, response);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${server.address().port}\n`));

function begin(origin) {
  const grants = ['authorization_code', 'refresh_token', 'client_credentials'];
  const client = (id, more) => ({
    client_id: id,
    grant_types: grants,
    redirect_uris: [`${origin}/oauth2/callback`],
    post_logout_redirect_uris: [`${origin}/`],
    ...more,
  });
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client('shop', { client_secret: 'a secret: with/odd+characters' }),
      client('public-shop', {
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      }),
    ],
    cookies: { keys: ['a key of the provider for its own cookies'] },
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'roles', 'tenant'] },
    ttl: {
      AccessToken: () => lifetime,
      ClientCredentials: () => lifetime,
      RefreshToken: 86400,
      IdToken: 3600,
    },
    rotateRefreshToken: true,
    findAccount: (_context, id) => ({
      accountId: id,
      // Whoever calls himself by a role of the console has it.
      claims: () => ({
        sub: id,
        roles: ['buyer', `is-${id}`, ...(id.startsWith('heddle-') ? [id] : [])],
        tenant: 't1',
      }),
    }),
    features: {
      introspection: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
    },
  });
  provider.on('grant.success', ({ oidc }) => {
    const grant = oidc.params.grant_type;
    counts[grant] = (counts[grant] ?? 0) + 1;
  });
  provider.on('grant.revoked', () => {
    counts.revoked = (counts.revoked ?? 0) + 1;
  });
  serve = provider.callback();
}

// Its notices are for whoever reads its log: not our lines.
for (const name of ['info', 'warn', 'log']) console[name] = () => {};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, value] = line.split(' ');
    if (verb === 'client') begin(value);
    if (verb === 'lifetime') lifetime = Number(value);
    if (verb === 'down' || verb === 'up') isDown = verb === 'down';
    process.stdout.write(`${verb === 'counts' ? JSON.stringify(counts) : 'done'}\n`);
  })
  .on('close', () => process.exit(0));
