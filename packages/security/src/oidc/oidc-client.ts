import { createHash, timingSafeEqual } from 'node:crypto';
import { type Clock, HeddleError, type Random } from '@heddle/kernel';
import type { JwtAlgorithm } from '../authn/algorithms.ts';
import { JwtVerifier } from '../authn/jwt-verifier.ts';
import { RemoteKeys } from '../authn/remote-keys.ts';
import { type Identity, unauthenticated } from '../identity.ts';
import type { LoginSession, PendingLogin } from './login-session.ts';
import { type ProviderMetadata, readMetadata } from './provider-metadata.ts';

/** A question to the provider: a GET, or a POST of a form. */
export interface ProviderQuestion {
  readonly url: string;
  readonly form?: Readonly<Record<string, string>>;
  /** The value of `Authorization`. */
  readonly authorization?: string;
}

/** Asks the provider. Bounded in time and size by whoever gives it; rejects where no answer can be had. */
export type AskProvider = (
  question: ProviderQuestion,
) => Promise<{ readonly status: number; readonly text: string }>;

/** What `OidcClient` is made from. */
export interface OidcClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: AskProvider;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client, whose only secret is that of PKCE. */
  readonly clientSecret: string | undefined;
  /** With `openid`. */
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  /** Of ID tokens. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly rolesClaim: string;
  /** Claims of the ID token that a session keeps. */
  readonly keptClaims: readonly string[];
  readonly keepAccessToken: boolean;
  /** Hears of key sets that could not be had. Must not throw. */
  readonly onFailure: (error: HeddleError) => void;
}

const loginMs = 600_000;
const metadataMs = 3_600_000;
const retryMs = 60_000;

interface Provider {
  readonly metadata: ProviderMetadata;
  readonly tokens: JwtVerifier;
  readonly readAtMs: number;
}

/**
 * The relying party of OpenID Connect: authorization code with PKCE, state and nonce, for one provider. Keeps no
 * sessions: what it makes is the caller's to keep.
 */
export class OidcClient {
  readonly #options: OidcClientOptions;
  #provider: Provider | undefined;
  #reading: Promise<Provider> | undefined;

  constructor(options: OidcClientOptions) {
    this.#options = options;
  }

  /** Where to send the browser, and what to keep until it is back. Rejects with `PROVIDER_UNAVAILABLE`. */
  async begin(returnTo: string): Promise<{ readonly url: string; readonly pending: PendingLogin }> {
    const { clock, clientId, redirectUri, scopes } = this.#options;
    const { metadata } = await this.#known();
    const [state, nonce, verifier] = [this.#secret(), this.#secret(), this.#secret()];
    const url = new URL(metadata.authorizationEndpoint);
    const parameters = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      // Only where one asks may a provider ask for consent to refreshing (OpenID Connect Core, section 11).
      ...(scopes.includes('offline_access') && { prompt: 'consent' }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return {
      url: url.href,
      pending: { state, nonce, verifier, returnTo, expiresMs: clock.wallMs() + loginMs },
    };
  }

  /** Turns what the browser brought back into a session. Rejects with `unauthenticated` / `LOGIN_FAILED`. */
  async finish(answer: URLSearchParams, pending: PendingLogin): Promise<LoginSession> {
    const { clock, redirectUri } = this.#options;
    const provider = await this.#known();
    for (const name of ['state', 'code', 'iss', 'error'])
      if (answer.getAll(name).length > 1) throw failed(`it says "${name}" twice`);
    if (!same(answer.get('state') ?? '', pending.state)) throw failed('it answers to another question');
    if (clock.wallMs() >= pending.expiresMs) throw failed('it took too long');
    const named = answer.get('iss');
    if (named === null ? provider.metadata.namesItself : named !== provider.metadata.issuer)
      throw failed('it is not of our provider');
    const error = answer.get('error');
    if (error !== null) throw failed(`the provider says ${/^[a-z_]{1,50}$/.test(error) ? error : 'no'}`);
    const code = answer.get('code');
    if (code === null) throw failed('it brings no code');
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
    };
    const given = await this.#tokens(provider, form);
    const who = await identityIn(given, provider, this.#options.clientId);
    if (!same(String(who.claims['nonce']), pending.nonce))
      throw failed('its token is of another login ("nonce")');
    return this.#session(given, who, clock.wallMs());
  }

  /** The session with new tokens. Rejects with `LOGIN_FAILED` when it is over, `PROVIDER_UNAVAILABLE` when nobody can say. */
  async refresh(session: LoginSession): Promise<LoginSession> {
    const { refreshToken } = session;
    if (refreshToken === undefined) throw failed('it cannot be refreshed');
    const provider = await this.#known();
    const given = await this.#tokens(provider, { grant_type: 'refresh_token', refresh_token: refreshToken });
    // A provider need not send another ID token, nor another refresh token.
    const kept = { refresh_token: refreshToken, ...given };
    if (given['id_token'] === undefined) {
      const { subject, roles, scopes, claims } = session;
      const who: Identity = { subject, roles, scopes, claims, method: 'oidc', issuer: this.#options.issuer };
      return this.#session(kept, who, session.startedMs);
    }
    const who = await identityIn(given, provider, this.#options.clientId);
    if (who.subject !== session.subject) throw failed('it is of somebody else now');
    return this.#session(kept, who, session.startedMs);
  }

  /** Ends what can be ended at the provider: the refresh token. Never rejects. */
  async revoke({ refreshToken }: LoginSession): Promise<void> {
    try {
      const { revocationEndpoint: url } = (await this.#known()).metadata;
      if (url === undefined || refreshToken === undefined) return;
      await this.#post(url, { token: refreshToken, token_type_hint: 'refresh_token' });
    } catch (thrown) {
      this.#options.onFailure(HeddleError.from(thrown));
    }
  }

  /** Where a browser logs out at the provider, and comes back from; undefined where the provider has no such place. */
  async logoutUrl(comeBackTo: string): Promise<string | undefined> {
    const { endSessionEndpoint } = (await this.#known()).metadata;
    if (endSessionEndpoint === undefined) return undefined;
    const url = new URL(endSessionEndpoint);
    url.searchParams.set('client_id', this.#options.clientId);
    url.searchParams.set('post_logout_redirect_uri', comeBackTo);
    return url.href;
  }

  #secret(): string {
    return Buffer.from(this.#options.random.bytes(32)).toString('base64url');
  }

  async #known(): Promise<Provider> {
    const known = this.#provider;
    if (known !== undefined && this.#options.clock.nowMs() - known.readAtMs < metadataMs) return known;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await this.#reading;
    } catch (thrown) {
      if (known === undefined) throw thrown;
      // What was good an hour ago serves on, and is asked for again a minute later.
      this.#provider = { ...known, readAtMs: known.readAtMs + retryMs };
      return known;
    }
  }

  async #read(): Promise<Provider> {
    const { issuer, clock, clientId, algorithms, rolesClaim, ask, onFailure } = this.#options;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const metadata = readMetadata(await this.#json({ url }), issuer);
    const fetch = async (): Promise<string> => {
      const { status, text } = await ask({ url: metadata.jwksUri });
      if (status !== 200) throw unavailable(`its keys are answered with ${status}`);
      return text;
    };
    const keys = new RemoteKeys({ clock, fetch, onFailure });
    const tokens = new JwtVerifier([{ issuer, audiences: [clientId], algorithms, keys, rolesClaim }], clock);
    this.#provider = { metadata, tokens, readAtMs: clock.nowMs() };
    return this.#provider;
  }

  async #json(question: ProviderQuestion): Promise<unknown> {
    const { status, text } = await this.#options.ask(question).catch((thrown: unknown) => {
      throw unavailable('it does not answer', HeddleError.from(thrown));
    });
    // 400 and 401 are what RFC 6749 section 5.2 answers to grants that are not good.
    if (status === 400 || status === 401)
      throw failed(`the provider refuses with ${status} ${errorIn(text)}`);
    if (status !== 200) throw unavailable(`it answers ${status}`);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw unavailable('its answer is no JSON', cause);
    }
  }

  async #tokens(
    provider: Provider,
    form: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    const given = await this.#post(provider.metadata.tokenEndpoint, form);
    if (typeof given !== 'object' || given === null) throw unavailable('its answer is no object');
    return given as Record<string, unknown>;
  }

  #post(url: string, form: Readonly<Record<string, string>>): Promise<unknown> {
    const { clientId, clientSecret } = this.#options;
    if (clientSecret === undefined) return this.#json({ url, form: { ...form, client_id: clientId } });
    // RFC 6749 section 2.3.1: both halves are encoded as in a form before they are joined.
    const encoded = [clientId, clientSecret].map((each) =>
      new URLSearchParams({ e: each }).toString().slice(2),
    );
    const authorization = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
    return this.#json({ url, form, authorization });
  }

  #session(given: Readonly<Record<string, unknown>>, who: Identity, startedMs: number): LoginSession {
    const { clock, keptClaims, keepAccessToken, scopes: asked } = this.#options;
    const { expires_in: lifetime, scope, refresh_token: refreshToken, access_token: accessToken } = given;
    const { exp } = who.claims;
    const nowMs = clock.wallMs();
    const lifetimeMs = typeof lifetime === 'number' && lifetime > 0 ? lifetime * 1000 : undefined;
    const expiresMs = lifetimeMs === undefined ? Number(exp ?? 0) * 1000 : nowMs + lifetimeMs;
    const kept = keptClaims.filter((name) => Object.hasOwn(who.claims, name));
    return {
      subject: who.subject,
      roles: who.roles,
      scopes: typeof scope === 'string' ? scope.split(' ') : asked,
      claims: Object.fromEntries(kept.map((name) => [name, who.claims[name]])),
      startedMs,
      expiresMs,
      ...(typeof refreshToken === 'string' && { refreshToken }),
      ...(keepAccessToken && typeof accessToken === 'string' && { accessToken }),
    };
  }
}

async function identityIn(
  given: Readonly<Record<string, unknown>>,
  { tokens }: Provider,
  clientId: string,
): Promise<Identity> {
  const token = given['id_token'];
  if (typeof token !== 'string') throw failed('the provider gives no ID token');
  const who = await tokens.verify(token).catch((thrown: unknown) => {
    throw failed(HeddleError.from(thrown).message);
  });
  const { aud, azp } = who.claims;
  // OpenID Connect Core section 3.1.3.7: a token for several is ours only if it says so.
  const several = Array.isArray(aud) && aud.length > 1;
  if (azp === undefined ? several : azp !== clientId)
    throw failed('its token was given to somebody else ("azp")');
  return who;
}

function errorIn(text: string): string {
  return /"error"\s*:\s*"([a-z_]{1,50})"/.exec(text)?.[1] ?? '';
}

function same(a: string, b: string): boolean {
  const [left, right] = [a, b].map((each) => createHash('sha256').update(each).digest()) as [Buffer, Buffer];
  return timingSafeEqual(left, right);
}

function failed(why: string): HeddleError {
  return unauthenticated('LOGIN_FAILED', `the login failed: ${why}`);
}

function unavailable(why: string, cause?: unknown): HeddleError {
  const message = `the OpenID provider cannot be asked: ${why}`;
  return new HeddleError({
    code: 'unavailable',
    reason: 'PROVIDER_UNAVAILABLE',
    message,
    cause,
    sent: false,
  });
}
