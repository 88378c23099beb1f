import { decodeJson, encodeError, encodeJson, membersOf } from '@heddle/discovery/clients';
import { type Call, HeddleError } from '@heddle/kernel';
import { type ModelFeed, readQuestion } from '@heddle/mesh/plane';
import type { XdsServer } from '@heddle/mesh/xds';
import { type BootstrapTokens, type CertificateService, readSpiffeId } from '@heddle/security/identity';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';
import type { FetchedKeys } from './fetched-keys.ts';
import type { MeshRules } from './mesh-rules.ts';
import { bodyOf, type Given, provenId } from './proven-id.ts';
import { changeRules, readRules, type RulesApiOptions } from './rules-api.ts';

/** What the API is about. */
export interface MeshApiOptions extends RulesApiOptions {
  readonly rules: MeshRules;
  readonly xds: XdsServer;
  readonly feed: ModelFeed;
  /** Of operators: throws `unauthenticated` for another `authorization`. */
  readonly check: (authorization: string | undefined) => void;
  /** Of who makes tokens and changes rules. */
  readonly checkOperator: (authorization: string | undefined) => void;
  readonly keys: FetchedKeys;
  readonly tokens: BootstrapTokens;
  readonly certificates: CertificateService;
}

const longestRules = 1024 * 1024;
const longestTokenMs = 86_400_000;

/**
 * `GET /v1/mesh`: what is in force and why the newest is not, who is connected and has taken what, what was refused and
 * what planes cannot do. `GET /v1/mesh/rules`: the rules; `POST` changes them (`changeRules`), for operators.
 * `POST /v1/mesh/tokens` `{ spiffeId, lifeMs }`: a bootstrap token, for operators.
 * `POST /v1/mesh/certificates` `{ request }`: a certificate, for who shows a bootstrap token or the certificate of now.
 * `POST /v1/mesh/jwts` `{ audience }`: a token that says who asks to those it names (JWT-SVID), for the same ones.
 * `POST /v1/mesh/model`: what our own planes ask (`ModelQuestion`), for the workload itself and for operators.
 * `GET /v1/mesh/roots`, `GET /v1/mesh/jwt-keys` (a JWK Set): what is to be believed, for everybody.
 */
export function meshApi(options: MeshApiOptions): HttpService {
  return async (request, call) => {
    try {
      return json(200, await answer(options, request, call));
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      return json(statusOfCode(error.code), encodeError(error));
    }
  };
}

async function answer(options: MeshApiOptions, request: HttpRequest, call: Call): Promise<Uint8Array> {
  const { rules, xds, feed, check, certificates } = options;
  const authorization = request.fields.get('authorization') ?? undefined;
  const path = request.path.split('?', 1)[0] ?? '';
  switch (`${request.method} ${path}`) {
    case 'GET /v1/mesh':
      check(authorization);
      return encodeJson({
        source: options.part.view,
        rules: rules.view,
        proxies: xds.proxies,
        planes: feed.planes,
        keys: options.keys.view,
        inexpressible: [...xds.inexpressible, ...feed.inexpressible],
      });
    case 'GET /v1/mesh/roots':
      return encodeJson({ trust: certificates.trust });
    case 'GET /v1/mesh/jwt-keys':
      return encodeJson({ keys: certificates.jwtKeys });
    case 'GET /v1/mesh/rules':
      check(authorization);
      return encodeJson(await readRules(options));
    case 'POST /v1/mesh/rules':
      options.checkOperator(authorization);
      return encodeJson(
        await changeRules(options, membersOf(decodeJson(await request.body.bytes(longestRules)))),
      );
    case 'POST /v1/mesh/tokens':
      options.checkOperator(authorization);
      return encodeJson({ token: tokenFor(options, (await bodyOf(request)).members) });
    case 'POST /v1/mesh/certificates':
      return encodeJson(await certify(options, await bodyOf(request), call));
    case 'POST /v1/mesh/jwts':
      return encodeJson(await vouch(options, await bodyOf(request), call));
    case 'POST /v1/mesh/model':
      return encodeJson(await model(options, await bodyOf(request), call));
    default: {
      const message = `the mesh has no ${request.method} ${path}`;
      throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message, sent: false });
    }
  }
}

type Members = Readonly<Record<string, unknown>>;

function tokenFor({ tokens }: MeshApiOptions, body: Members): string {
  const { spiffeId, lifeMs = 600_000, ...others } = body;
  refuseOthers(others);
  if (typeof spiffeId !== 'string') throw bad('spiffeId', 'a SPIFFE ID', spiffeId);
  if (typeof lifeMs !== 'number' || !(lifeMs >= 1000 && lifeMs <= longestTokenMs))
    throw bad('lifeMs', `a number from 1000 to ${longestTokenMs}`, lifeMs);
  return tokens.make(readSpiffeId(spiffeId), lifeMs);
}

async function certify(options: MeshApiOptions, given: Given, call: Call): Promise<object> {
  const { request, ...others } = given.members;
  const id = await provenId(given, options, call);
  refuseOthers(others);
  if (typeof request !== 'string') throw bad('request', 'a certificate request in PEM', request);
  return options.certificates.issue(id, request);
}

async function vouch(options: MeshApiOptions, given: Given, call: Call): Promise<object> {
  const { audience, ...others } = given.members;
  const id = await provenId(given, options, call);
  refuseOthers(others);
  return options.certificates.issueJwt(id, audience);
}

/** Rules are for the workload itself: who else may call, and where, is nobody's business. */
async function model(options: MeshApiOptions, given: Given, call: Call): Promise<object> {
  const { check, feed, xds } = options;
  const question = readQuestion(given.members);
  if (!isOperator(check, given.authorization)) {
    const id = await provenId(given, options, call);
    const [namespace, name] = question.workload.split('/');
    const { serviceAccount = name } = xds.model.workloads.get(question.workload) ?? {};
    if (id.namespace !== namespace || id.serviceAccount !== serviceAccount) throw foreign(question.workload);
  }
  return feed.ask(question, call);
}

function isOperator(check: MeshApiOptions['check'], authorization: string | undefined): boolean {
  try {
    check(authorization);
    return true;
  } catch {
    return false;
  }
}

function foreign(workload: string): HeddleError {
  const message = `the rules of ${workload} are for that workload alone`;
  return new HeddleError({ code: 'permission_denied', reason: 'FOREIGN_WORKLOAD', message, sent: false });
}

function refuseOthers(others: Members): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw bad(name, 'no such key', others[name]);
}

function bad(field: string, expected: string, found: unknown): HeddleError {
  const message = `${field}: expected ${expected}, found ${JSON.stringify(found)?.slice(0, 100) ?? 'nothing'}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_BODY', message, sent: false });
}

function json(status: number, body: Uint8Array): HttpResponse {
  return { status, fields: Fields.of({ 'content-type': 'application/json' }), body: wholeBody(body) };
}
