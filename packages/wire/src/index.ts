export { type Endpoint, type EndpointOptions, endpoint } from './endpoint.ts';
export {
  type Body,
  collect,
  emptyBody,
  type StreamBodyOptions,
  streamBody,
  wholeBody,
  wholeBytes,
} from './message/body.ts';
export { Fields } from './message/fields.ts';
export { type HttpRequest, type HttpResponse, type HttpService, type Peer, peer } from './message/http.ts';
export { type BodySink, type BodySource, IncomingBody } from './message/incoming-body.ts';
export { statusOfCode } from './message/status-of-code.ts';
export type { EndpointState, StateListener } from './pool/link.ts';
export { type HttpServer, type ServeOptions, type ServerLimits, serve } from './server.ts';
