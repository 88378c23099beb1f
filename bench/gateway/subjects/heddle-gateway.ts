// The gateway as `heddle gateway` runs it, with one of the configurations that are measured: `one`, `many` (a thousand
// routes), `guarded` (JWT, rate limit, metrics, access log), `tls`.
import { openSync } from 'node:fs';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { serve } from '@heddle/wire';
import { LineWriter } from '../../../apps/heddle/src/node/line-writer.ts';
import { announce } from '../../wire/subjects/announce.ts';
import { identityFrom } from '../identity.ts';
import { issuer, secret } from '../token.ts';

const [upstream = '', kind = 'one', ...files] = process.argv.slice(2);
const runtime = nodeRuntime({ name: 'bench' });
const route = { path: '/', upstream };
const guarded = {
  ...route,
  auth: { any: ['jwt'] },
  rateLimit: [
    { name: 'user', key: ['user'], rule: { algorithm: 'token_bucket', limit: 1_000_000, windowMs: 1000 } },
  ],
};
/** Of every kind but expressions, a fourth of them for hosts of their own. */
const others = Array.from({ length: 999 }, (_, at) => ({
  path: [
    { prefix: `/a-${at}` },
    { exact: `/b-${at}` },
    { template: `/c-${at}/{id}` },
    { prefix: `/d/${at}` },
  ][at % 4],
  ...(at % 4 === 3 && { host: `shop-${at}.example` }),
  upstream,
}));
const documents: Readonly<Record<string, object>> = {
  one: { routes: [route] },
  tls: { routes: [route] },
  many: { routes: [...others.slice(0, 500), route, ...others.slice(500)] },
  guarded: {
    accessLog: {},
    auth: { jwt: [{ issuer, audiences: ['bench'], algorithms: ['HS256'], secretEnv: 'SECRET' }] },
    routes: [guarded],
  },
};

const gateway = new Gateway({
  config: readGatewayConfig(JSON.stringify(documents[kind]), kind),
  runtime,
  metrics: new MetricRegistry(),
  secrets: () => secret,
  writeAccess: new LineWriter(openSync('/dev/null', 'a'), runtime).write,
});
const tls = kind === 'tls' && { tls: { source: { current: { identities: [identityFrom(files)] } } } };
const server = await serve(gateway.service, { runtime, address: { host: '127.0.0.1', port: 0 }, ...tls });
announce(server.address.port);
