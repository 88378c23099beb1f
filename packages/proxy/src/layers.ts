// What other proxies are made of: the sidecar's stacks are in @heddle/mesh.
export { changeFields } from './action/change-fields.ts';
export { corsLayer } from './action/cors.ts';
export { cookie } from './action/cookie.ts';
export { mirrored } from './action/mirrored.ts';
export { ownAnswer } from './action/own-answer.ts';
export { type AccessLog, accessLogged, noteCaller } from './answer/access-log.ts';
export { errorsToCallers, grpcAnswer, isGrpc } from './answer/errors-to-callers.ts';
export { addressOf } from './forward/client-address.ts';
export { classifyAnswer } from './forward/classify.ts';
export { deadline } from './forward/deadline.ts';
export { classifyByWords, isRetryWord } from './forward/retry-words.ts';
export { fromKept, KeptBody, keptBody } from './forward/kept-body.ts';
export { hostOf } from './model/host.ts';
export { type Pattern, pattern } from './model/pattern.ts';
export { type ReadFile, upstreamTls } from './upstream/upstream-tls.ts';
