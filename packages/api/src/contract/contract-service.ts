import { Fields, type HttpRequest, type HttpResponse, wholeBody } from '@heddle/wire';
import type { Contract } from './contract.ts';

/** Where a service tells its contract to whoever asks: `GET`, and JSON as `readContract` reads it. */
export const contractPath = '/.well-known/heddle-contract';

/** The member of an instance's metadata that tells where its contract is. Its value is a path. */
export const contractKey = 'contract';

/** Answers requests for the contract; undefined for all others, which are for the service itself. */
export function contractAnswer(contract: Contract): (request: HttpRequest) => HttpResponse | undefined {
  const bytes = new TextEncoder().encode(JSON.stringify(contract));
  return ({ method, path }) => {
    if (method !== 'GET' || path.split('?', 1)[0] !== contractPath) return undefined;
    const fields = Fields.of({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    return { status: 200, fields, body: wholeBody(bytes) };
  };
}
