import { type Layer, userId } from '@heddle/kernel';
import { fromCall, hashBy, type HashKeySource } from '@heddle/traffic';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { cookie } from '../action/cookie.ts';
import { addressOf } from '../forward/client-address.ts';
import type { HashConfig } from './upstream-schema.ts';

/** Gives each call the key by which a hashing policy chooses the instance. */
export function hashed(config: HashConfig): Layer<HttpRequest, HttpResponse> {
  return hashBy(sourceOf(config));
}

function sourceOf({ by, name = '' }: HashConfig): HashKeySource<HttpRequest> {
  switch (by) {
    case 'user':
      return fromCall(userId);
    case 'ip':
      return (_req, call) => addressOf(call);
    case 'header':
      return ({ fields }) => fields.get(name.toLowerCase());
    case 'cookie':
      return ({ fields }) => cookie(fields, name);
  }
}
