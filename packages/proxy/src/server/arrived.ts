import { callKey, type CallKey, type Layer } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, peer } from '@heddle/wire';
import { jsonAnswer } from '../answer/json-answer.ts';
import { hostOf } from '../model/host.ts';
import { type EndedTls, serverAt, type ServerConfig } from '../model/server.ts';

/** The port of `servers` that a call has come by; undefined for what comes by `listen`. Set by whoever listens. */
export const arrivedAt: CallKey<number | undefined> = callKey<number | undefined>('arrived-at', undefined);

/** The name of the server that a call is at; undefined for what comes by `listen`. */
export const servedBy: CallKey<string | undefined> = callKey<string | undefined>('served-by', undefined);

/**
 * Finds the server that a request has come to, by the name of its connection's handshake, and refuses what does not belong
 * there: a host that another server has, whose rules for clients are others, and a connection that was made before these
 * rules were. 421 lets a client try again on a connection of its own (RFC 9110 section 15.5.20).
 */
export function atItsServer(servers: readonly ServerConfig[]): Layer<HttpRequest, HttpResponse> | undefined {
  if (servers.length === 0) return undefined;
  return (next) => async (req, call) => {
    const port = call.get(arrivedAt);
    if (port === undefined) return next(req, call);
    const tls = call.get(peer)?.tls;
    const server = serverAt(servers, port, tls?.serverName);
    const other = serverAt(servers, port, hostOf(req.authority));
    if (server?.tls.kind !== 'end' || (other !== undefined && other !== server))
      return refused(req, 421, 'MISDIRECTED', `this connection is not for ${hostOf(req.authority)}`);
    const { certificate } = tls ?? {};
    const isMissing = server.tls.clients === 'require' && certificate === undefined;
    const isBad = server.tls.clients !== 'off' && certificate?.verified === false;
    if (isMissing || isBad)
      return refused(
        req,
        421,
        'CERTIFICATE_NEEDED',
        'this connection has shown no certificate that is good here',
      );
    if (certificate !== undefined && !isNamed(server.tls, [...certificate.dnsNames, ...certificate.uris]))
      return refused(req, 403, 'CLIENT_NOT_NAMED', 'the certificate is of nobody who may come here');
    call.set(servedBy, server.name);
    return next(req, call);
  };
}

function isNamed({ clients, clientNames }: EndedTls, names: readonly string[]): boolean {
  if (clients === 'off' || clientNames.length === 0) return true;
  return names.some((name) => clientNames.includes(name));
}

function refused(req: HttpRequest, status: number, reason: string, message: string): HttpResponse {
  req.body.cancel();
  return jsonAnswer(status, {
    code: status === 421 ? 'failed_precondition' : 'permission_denied',
    reason,
    message,
  });
}
