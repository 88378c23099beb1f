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
export { statusOfCode } from './message/status-of-code.ts';
