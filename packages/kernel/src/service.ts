import type { Call } from './call.ts';

/**
 * One exchange: a request and its call go in, a promise of the result comes out.
 *
 * A service never throws synchronously. It rejects only with a `HeddleError`; an upstream's answer that is
 * merely unwelcome (an HTTP 503) is a value, and what it means is for `Classify` to say.
 * The promise settles when the result *begins*; the call ends when its last byte has gone (`Call.onEnd`).
 *
 * Source: M. Eriksen, "Your Server as a Function", PLOS 2013.
 */
export type Service<Req, Res> = (req: Req, call: Call) => Promise<Res>;

/** A function from service to service. It may call `next` never, once, or many times. */
export type Layer<Req, Res> = (next: Service<Req, Res>) => Service<Req, Res>;

/**
 * Joins layers into one. The first is the outermost: it sees the request first and the result last.
 * Without layers the result is the identity.
 */
export function stack<Req, Res>(...layers: readonly Layer<Req, Res>[]): Layer<Req, Res> {
  return (next) => layers.reduceRight((service, layer) => layer(service), next);
}
