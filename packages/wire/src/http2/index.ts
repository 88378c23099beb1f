export { type AbuseCounters, addCounters, noAbuse } from './abuse-guard.ts';
export { connectHttp2, type Http2ClientConnection } from './client-connection.ts';
export { clientPreface } from './frame.ts';
export { defaultLimits, type Http2Limits } from './limits.ts';
export { type Http2ServerConnection, serveHttp2 } from './server-connection.ts';
