import { type Layer, perform } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/** Gives what is below a call of its own: a way out defers the end of its call, which is not that of who came in. */
export const ownCall: Layer<HttpRequest, HttpResponse> = (next) => (req, call) =>
  perform(next, req, call.child());
