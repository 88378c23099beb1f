import { type Layer, settle } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/**
 * Gives what is below a call of its own, whose end is then that of the call above: where a layer above ends its call with
 * its result, the content that is still on its way would be cut off.
 */
export const ownCall: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  const child = call.child();
  const result = await settle(next, req, child);
  if (!result.ok) throw result.error;
  call.endWith(child);
  return result.value;
};
