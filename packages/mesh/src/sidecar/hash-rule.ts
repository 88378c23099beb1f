import type { Call } from '@heddle/kernel';
import { addressOf, cookie } from '@heddle/proxy/layers';
import { hashKey } from '@heddle/traffic';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import type { HashBy } from '../model/index.ts';

/** Gives calls the key by which a hashing policy chooses, as a cluster's rules say. Above retry: once a call. */
export class HashRule {
  readonly #by: HashBy;

  constructor(by: HashBy) {
    this.#by = by;
  }

  /** Passes a request on with its key. A cookie that is to be made goes back with the answer. */
  serve(next: HttpService, req: HttpRequest, call: Call): Promise<HttpResponse> {
    const key = this.#keyOf(req, call);
    if (key !== undefined && key !== '') {
      call.set(hashKey, key);
      return next(req, call);
    }
    return this.#by.by === 'cookie' && this.#by.ttlMs !== undefined
      ? this.#withCookie(next, req, call)
      : next(req, call);
  }

  #keyOf(req: HttpRequest, call: Call): string | undefined {
    const { by, name } = this.#by;
    switch (by) {
      case 'header':
        return req.fields.get(name);
      case 'cookie':
        return cookie(req.fields, name);
      case 'query':
        return new URLSearchParams(req.path.split('?')[1] ?? '').get(name) ?? undefined;
      case 'address':
        return addressOf(call);
    }
  }

  async #withCookie(next: HttpService, req: HttpRequest, call: Call): Promise<HttpResponse> {
    const { name, ttlMs = 0, path } = this.#by;
    const value = call.runtime.random.uuid();
    call.set(hashKey, value);
    const answer = await next(req, call);
    const age = ttlMs > 0 ? `; Max-Age=${Math.ceil(ttlMs / 1000)}` : '';
    const fields = answer.fields
      .clone()
      .append('set-cookie', `${name}=${value}${age}${path === undefined ? '' : `; Path=${path}`}; HttpOnly`);
    return { ...answer, fields };
  }
}
