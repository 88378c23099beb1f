import type { experimental } from '@grpc/grpc-js';
import { parseTarget } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';

/** A target of grpc-js's users, taken apart. */
export interface ChannelTarget {
  /** For discovery: the service and its subset, without what is for the balancer. */
  readonly text: string;
  readonly service: string;
  /** `?policy=`, if it was there. */
  readonly policy: string | undefined;
  /** `?hash-header=`: where the policies that hash find their key. */
  readonly hashHeader: string | undefined;
}

const ours = ['policy', 'hash-header'] as const;

/**
 * Reads `discovery:///order?version=v2&policy=ring_hash&hash-header=x-user-id`: what `parseTarget` knows, and beside it
 * `policy` and `hash-header`. grpc-js leaves the query in the path. Throws `invalid_argument` / `BAD_TARGET`.
 */
export function readChannelTarget({ scheme, authority, path }: experimental.GrpcUri): ChannelTarget {
  const [name, query] = split(path);
  const found = new Map<string, string>();
  const rest: string[] = [];
  for (const part of query?.split('&') ?? []) {
    const [key = '', value = ''] = part.split('=', 2);
    if (!ours.some((each) => each === key)) rest.push(part);
    else if (found.has(key) || value === '') throw badTarget(path, key);
    else found.set(key, decodeURIComponent(value));
  }
  const text = `${scheme ?? 'discovery'}://${authority ?? ''}/${name}${rest.length === 0 ? '' : `?${rest.join('&')}`}`;
  const target = parseTarget(text);
  if (target.kind !== 'discovery') throw badTarget(path, 'scheme');
  return {
    text,
    service: target.service,
    policy: found.get('policy'),
    hashHeader: found.get('hash-header')?.toLowerCase(),
  };
}

function split(path: string): [name: string, query: string | undefined] {
  const question = path.indexOf('?');
  return question < 0 ? [path, undefined] : [path.slice(0, question), path.slice(question + 1)];
}

function badTarget(path: string, key: string): HeddleError {
  const message = `target "${path}": expected "${key}" once and with a value`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_TARGET', message, sent: false });
}
