import { type Call, HeddleError, type Layer, tenantId, userId } from '@heddle/kernel';
import { type AccessRule, checkAccess, claimAt, type Identity, identity } from '@heddle/security';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { noteCaller } from '../answer/access-log.ts';
import { methodOf } from '../forward/tunnels.ts';
import type { AuthConfig, RouteAuth } from './auth-schema.ts';
import { withoutKey } from './key-place.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * Lets in who has proved who it is as the route demands: sets `identity` and `userId` on the call, and the fields that
 * claims go to. API keys and passwords go no further; a token does, since services may want to verify it themselves.
 */
export function authenticated(
  authenticator: Authenticator,
  demand: RouteAuth,
  { claimsToFields = [] }: AuthConfig,
): Layer<HttpRequest, HttpResponse> {
  const invited = async (thrown: unknown, req: HttpRequest, call: Call): Promise<HttpResponse> => {
    const error = HeddleError.from(thrown);
    const invitation = await authenticator.invitation(req, call, demand, error);
    if (invitation === undefined) throw error;
    return invitation;
  };
  return (next) => {
    const admit = (who: Identity, req: HttpRequest, call: Call): Promise<HttpResponse> => {
      call.set(identity, who).set(userId, who.subject);
      noteCaller(call, who.subject);
      const tenant = who.claims['tenant'];
      if (typeof tenant === 'string') call.set(tenantId, tenant);
      return next(withProof(req, who, call, authenticator, claimsToFields), call);
    };
    return (req, call) => {
      let who: Identity | Promise<Identity>;
      try {
        who = authenticator.identify(req, call, demand);
      } catch (thrown) {
        return invited(thrown, req, call);
      }
      if (!(who instanceof Promise)) return admit(who, req, call);
      return who.then(
        (known) => admit(known, req, call),
        (thrown: unknown) => invited(thrown, req, call),
      );
    };
  };
}

/** The request as it goes on: the same object where nothing is taken away and nothing added, the usual case of a token. */
function withProof(
  req: HttpRequest,
  who: Identity,
  call: Call,
  authenticator: Authenticator,
  claimsToFields: readonly (readonly [claim: string, name: string])[],
): HttpRequest {
  const isBasic = /^basic /i.test(req.fields.get('authorization') ?? '');
  const keyless = withoutKey(req, authenticator.keyPlaces);
  if (claimsToFields.length === 0 && who.method !== 'oidc' && !isBasic) return keyless;
  const fields = keyless.fields.clone();
  if (isBasic) fields.delete('authorization');
  const token = who.method === 'oidc' ? authenticator.login?.tokenOf(call) : undefined;
  if (token !== undefined) fields.set('authorization', `Bearer ${token}`);
  for (const [claim, name] of claimsToFields) {
    const value = plain(claimAt(who.claims, claim));
    if (value !== undefined) fields.set(name, value);
  }
  return { ...keyless, fields };
}

/** Removes from what comes from outside the fields that only this gateway sets, also where "-" is written "_". */
export function withoutClaims(names: readonly string[]): Layer<HttpRequest, HttpResponse> {
  if (names.length === 0) return (next) => next;
  const ours = new Set(names);
  return (next) => (req, call) => {
    const claimed = [...req.fields]
      .map(([name]) => name)
      .filter((name) => ours.has(name.replaceAll('_', '-')));
    if (claimed.length === 0) return next(req, call);
    const fields = req.fields.clone();
    for (const name of claimed) fields.delete(name);
    return next({ ...req, fields }, call);
  };
}

/** Asks the route's rules, with the path as it was matched. */
export function authorised(rules: readonly AccessRule[]): Layer<HttpRequest, HttpResponse> {
  return (next) => (req, call) => {
    const question = req.path.indexOf('?');
    const path = question === -1 ? req.path : req.path.slice(0, question);
    try {
      checkAccess(rules, { method: methodOf(req), path, identity: call.get(identity) });
    } catch (refused) {
      return Promise.reject(HeddleError.from(refused));
    }
    return next(req, call);
  };
}

/** A claim as a field's value; undefined where it cannot be one: it could forge others. */
function plain(claim: unknown): string | undefined {
  const values = (Array.isArray(claim) ? claim : [claim]) as readonly unknown[];
  const isSimple = values.every((each) => ['string', 'number', 'boolean'].includes(typeof each));
  const text = isSimple ? values.join(',') : '';
  return text !== '' && text.length <= 1024 && /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
