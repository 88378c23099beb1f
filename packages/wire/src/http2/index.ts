export type { AbuseCounters } from './abuse-guard.ts';
export { connectHttp2, type ConnectHttp2Options, type Http2ClientConnection } from './client-connection.ts';
export { clientPreface } from './frame.ts';
export { defaultLimits, type Http2Limits } from './limits.ts';
export { type Http2ServerConnection, serveHttp2, type ServeHttp2Options } from './server-connection.ts';
export type { SessionState } from './session.ts';
