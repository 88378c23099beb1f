// A gateway that logs people in at the real provider, and an upstream that tells what it was asked.
import path from 'node:path';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, jsonAnswer, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { type HttpRequest, type HttpServer, type HttpService, serve } from '@heddle/wire';
import { type Peer, startPeer } from '../../../engines/peer.ts';

// Cases that cut the provider off would only fill the log.
export const runtime: Runtime = { ...nodeRuntime({ name: 'oidc' }), log: () => {} };
const local = { host: '127.0.0.1', port: 0 };

/** What sessions are sealed with, unless a case says otherwise. */
export const sealedBy = 'the-secret-of-the-sessions-of-this-test';
const secrets: Readonly<Record<string, string>> = {
  CLIENT_SECRET: 'a secret: with/odd+characters',
  SESSION_SECRET: sealedBy,
};

/** What the upstream was asked, as it tells it. */
export interface Asked {
  readonly path: string;
  readonly method: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** How a site differs from the usual one. */
export interface SiteOptions {
  readonly oidc?: object;
  readonly secrets?: Readonly<Record<string, string>>;
  /** More under `auth`. */
  readonly auth?: object;
}

/** The provider, the upstream, and one gateway at a time before it at one address. */
export class Site {
  readonly provider: Peer;
  readonly #upstream: HttpServer;
  readonly #front: HttpServer;
  #gateway: Gateway | undefined;
  #service: HttpService = async () => jsonAnswer(503, {});

  private constructor(
    provider: Peer,
    upstream: HttpServer,
    front: (service: () => HttpService) => HttpServer,
  ) {
    this.provider = provider;
    this.#upstream = upstream;
    this.#front = front(() => this.#service);
  }

  static async start(): Promise<Site> {
    const program = path.join(import.meta.dirname, 'provider.mjs');
    const provider = await startPeer({ name: 'oidc-provider', command: process.execPath, args: [program] });
    const upstream = await serve(told, { runtime, address: local });
    let current = (): HttpService => async () => jsonAnswer(503, {});
    const front = await serve((req, call) => current()(req, call), { runtime, address: local });
    const site = new Site(provider, upstream, (service) => {
      current = service;
      return front;
    });
    await provider.ask(`client ${site.url}`);
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#front.address.port}`;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.provider.address.port}`;
  }

  /** Puts a new gateway in the place of the old one. */
  async gateway({ oidc = {}, secrets: others = {}, auth = {} }: SiteOptions = {}): Promise<void> {
    const upstream = `127.0.0.1:${this.#upstream.address.port}`;
    const login = {
      issuer: this.issuer,
      clientId: 'shop',
      clientSecretEnv: 'CLIENT_SECRET',
      sessionSecretEnv: 'SESSION_SECRET',
      publicUrl: this.url,
      scopes: ['openid', 'offline_access'],
      ...oidc,
    };
    const routes = [
      { path: '/', upstream, auth: { any: ['oidc'] } },
      { path: '/open', upstream },
      { path: '/buyers', upstream, auth: { any: ['oidc'] }, access: [{ effect: 'allow', roles: ['buyer'] }] },
      { path: '/admins', upstream, auth: { any: ['oidc'] }, access: [{ effect: 'allow', roles: ['admin'] }] },
      { path: '/api', upstream, auth: { any: ['introspection'] } },
    ];
    const introspection = {
      url: `${this.issuer}/token/introspection`,
      clientId: 'shop',
      clientSecretEnv: 'CLIENT_SECRET',
      cacheMs: 0,
    };
    const document = {
      auth: { oidc: login, introspection, claimsToFields: { tenant: 'x-tenant' }, ...auth },
      routes,
    };
    const config = readGatewayConfig(JSON.stringify(document), 'oidc');
    const all = { ...secrets, ...others };
    const made = new Gateway({
      config,
      runtime,
      metrics: new MetricRegistry(),
      secrets: (name) => all[name],
    });
    await this.#gateway?.drain();
    this.#gateway = made;
    this.#service = made.service;
  }

  async stop(): Promise<void> {
    await this.#front.stop();
    await this.#gateway?.drain();
    await this.#upstream.stop();
    await this.provider.stop();
  }
}

async function told(req: HttpRequest): ReturnType<HttpService> {
  const fields: Record<string, string> = {};
  for (const [name, value] of req.fields) fields[name] = value;
  return jsonAnswer(200, { path: req.path, method: req.method, fields } satisfies Asked);
}
