// Who may do what: Istio's objects as YAML, real tokens, and the verdict of our engine beside the documented one. HTTP
// goes through the guard that services and sidecars use; ports that are not HTTP ask the engine alone.
import assert from 'node:assert/strict';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  authorization as authorizationOf,
  guard,
  mutualTlsFor,
  policiesFor,
  tokenRulesFor,
} from '@heddle/mesh/authorization';
import { loadResources, type Resource } from '@heddle/mesh/resources';
import { fixedKeys, readKeySet } from '@heddle/security';
import { Fields, type HttpRequest, type Peer, peer, wholeBody } from '@heddle/wire';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { type CaseGroup, type CaseRequest, type Expected, usualRequest } from './authorization/case.ts';
import { authorizationCases } from './authorization/cases.ts';
import { Issuer } from './authorization/issuer.ts';

const backend = 'authorization';

/** Each request of each table is a result. */
export const authorization: Contract = {
  backend,
  async run(only = () => true) {
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    const issuer = new Issuer();
    const results: ContractResult[] = [];
    for (const group of authorizationCases) {
      for (const [request, expected] of group.requests) {
        const name = `${group.name}: ${describe(request)}: ${expected}`;
        if (!only(name)) continue;
        results.push(
          await resultOf(backend, '', name, async () => {
            assert.equal(await verdictOf(group, request, issuer, runtime), expected);
          }),
        );
      }
    }
    return results;
  },
};

function describe(request: CaseRequest): string {
  return Object.keys(request).length === 0
    ? 'usual'
    : JSON.stringify(request).slice(1, -1).replaceAll('"', '');
}

async function verdictOf(
  group: CaseGroup,
  request: CaseRequest,
  issuer: Issuer,
  runtime: Runtime,
): Promise<Expected> {
  const text = group.resources.replaceAll('{jwks}', issuer.jwks);
  const { resources, findings } = loadResources([{ file: group.name, text }]);
  assert.deepEqual(findings, [], 'the table itself is written as Istio takes it');
  return request.tcp
    ? overTcp(group, request, resources)
    : overHttp(group, request, resources, issuer, runtime);
}

function overTcp(group: CaseGroup, request: CaseRequest, resources: readonly Resource[]): Expected {
  const { principal, sourceIp, destinationIp, port, sni } = { ...usualRequest, ...request };
  if (mutualTlsFor(resources, group.workload, port) === 'strict' && principal === '') return 'refused';
  const facts = {
    principal,
    sourceIp,
    remoteIp: request.remoteIp ?? sourceIp,
    destinationIp,
    destinationPort: port,
    sni,
  };
  const answers = new Map(Object.entries(group.answers ?? {}));
  const { allowed } = authorizationOf(policiesFor(resources, group.workload), false).decide(facts, answers);
  return allowed ? 'allow' : 'deny';
}

async function overHttp(
  group: CaseGroup,
  request: CaseRequest,
  resources: readonly Resource[],
  issuer: Issuer,
  runtime: Runtime,
): Promise<Expected> {
  const full = { ...usualRequest, ...request };
  const { workload, answers = {} } = group;
  const call = Call.root(runtime);
  call.set(peer, peerOf(full));
  const service = guard({
    policies: policiesFor(resources, workload),
    jwt: tokenRulesFor(resources, workload),
    mtls: mutualTlsFor(resources, workload, full.port),
    port: full.port,
    ip: full.destinationIp,
    keysOf: ({ jwks = '' }) => fixedKeys(readKeySet(JSON.parse(jwks))),
    ask: async (provider) => answers[provider] === true,
    clientAddress: () => request.remoteIp,
  })(async () => ({ status: 200, fields: new Fields(), body: wholeBody(Buffer.alloc(0)) }));
  try {
    const { status } = await service(httpRequest(full, request, issuer, runtime), call);
    assert.equal(status, 200);
    return 'allow';
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (error.is('permission_denied', 'RBAC_DENIED')) return 'deny';
    if (error.is('unauthenticated', 'MTLS_REQUIRED')) return 'refused';
    if (error.is('unauthenticated', 'BAD_TOKEN')) return 'unauthenticated';
    throw error;
  }
}

/** What a server knows of the connection after the handshake. */
function peerOf({ principal, sourceIp, sni }: typeof usualRequest): Peer {
  const address = { host: sourceIp, port: 50_000 };
  if (principal === '' && sni === '') return { address };
  const certificate =
    principal === ''
      ? undefined
      : {
          verified: true,
          problem: undefined,
          fingerprint: '',
          subject: '',
          dnsNames: [],
          uris: [`spiffe://${principal}`],
          expiresAtMs: 0,
          der: new Uint8Array(),
        };
  return {
    address,
    tls: { version: 'TLSv1.3', alpn: undefined, serverName: sni, resumed: false, certificate },
  };
}

function httpRequest(
  full: typeof usualRequest,
  { token }: CaseRequest,
  issuer: Issuer,
  runtime: Runtime,
): HttpRequest {
  const fields = Fields.of(full.headers);
  let { path } = full;
  if (token !== undefined) {
    const raw = issuer.token(token, runtime.clock.wallMs());
    const place = token.in ?? { header: 'authorization', prefix: 'Bearer ' };
    if ('query' in place) path += `?${place.query}=${raw}`;
    else fields.set(place.header, `${place.prefix ?? ''}${raw}`);
  }
  return {
    method: full.method,
    scheme: 'http',
    authority: full.host,
    path,
    fields,
    body: wholeBody(Buffer.alloc(0)),
  };
}
