import { randomBytes } from 'node:crypto';
import { type ClientRequest, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';
import { Authority, type AuthorityMaterial, makeRequest, requestedKey } from '@heddle/security/identity';
import type { Place } from '../../../engines/engine.ts';
import { type CaseRequest, type Expected, usualRequest } from '../authorization/case.ts';
import type { Issuer } from '../authorization/issuer.ts';

/** Makes the requests of the tables, each on a connection of its own. */
export class Asker {
  readonly #authority: Authority;
  readonly #issuer: Issuer;
  readonly #known = new Map<string, { readonly cert: string; readonly key: string; readonly ca: string }>();

  constructor(authority: AuthorityMaterial, issuer: Issuer) {
    this.#authority = new Authority(authority);
    this.#issuer = issuer;
  }

  /** What became of it. */
  ask(host: string, request: CaseRequest): Promise<Expected> {
    const full = { ...usualRequest, ...request };
    const headers: Record<string, string> = { ...full.headers, host: full.host };
    if (request.remoteIp !== undefined) headers['x-forwarded-for'] = request.remoteIp;
    let { path } = full;
    const { token } = request;
    if (token !== undefined) {
      const raw = this.#issuer.token(token, Date.now());
      const place = token.in ?? { header: 'authorization', prefix: 'Bearer ' };
      if ('query' in place) path += `?${place.query}=${raw}`;
      else headers[place.header] = `${place.prefix ?? ''}${raw}`;
    }
    const options = {
      host,
      port: full.port,
      method: full.method,
      path,
      headers,
      agent: false,
      timeout: 30_000,
    };
    if (full.principal === '' && full.sni === '') return verdictOf(plainRequest(options));
    const shown = full.principal === '' ? {} : this.#shown(full.principal);
    const named = full.sni === '' ? { servername: '' } : { servername: full.sni };
    return verdictOf(tlsRequest({ ...options, ...shown, ...named, rejectUnauthorized: false }));
  }

  #shown(principal: string): { readonly cert: string; readonly key: string; readonly ca: string } {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const { request, privateKey } = makeRequest();
    const nowMs = Date.now();
    const cert = this.#authority.issue(requestedKey(request), {
      of: { uri: `spiffe://${principal}` },
      fromMs: nowMs - 60_000,
      untilMs: nowMs + 3_600_000,
      serial: randomBytes(16),
    });
    const made = { cert, key: privateKey, ca: this.#authority.material.root };
    this.#known.set(principal, made);
    return made;
  }
}

const meanings = new Map<number, Expected>([
  [200, 'allow'],
  [401, 'unauthenticated'],
  [403, 'deny'],
]);

/** A connection that ends without an answer: before TCP's rules that is a denial, before TLS the connection's refusal. */
function verdictOf(request: ClientRequest): Promise<Expected> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => {
      response.resume();
      const meaning = meanings.get(response.statusCode ?? 0);
      if (meaning === undefined) reject(new Error(`status ${response.statusCode}`));
      else resolve(meaning);
    });
    request.on('error', () => resolve('refused'));
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.end();
  });
}

/** Whether somebody listens there. */
export function accepts({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
