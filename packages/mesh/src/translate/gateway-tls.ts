import type { GatewayCertificate, GatewayTls } from '../model/index.ts';
import type { GatewayServer, ServerTls } from '../resources/index.ts';

/** Tells what nobody does, and what happens instead. */
type Say = (what: string, instead: string) => void;

/** TLS that is ended with a certificate. */
export function terminated(
  certificate: GatewayCertificate,
  more: Partial<Extract<GatewayTls, { mode: 'terminate' }>> = {},
): GatewayTls {
  return { mode: 'terminate', certificate, clients: 'off', names: [], least: '1.2', ...more };
}

/** How a server of a Gateway takes TLS; undefined: not at all; `none`: what it says is not done, so it is not served. */
export function gatewayTls({ port, tls }: GatewayServer, say: Say): GatewayTls | undefined | 'none' {
  if (tls === undefined) return undefined;
  const at = `tls of port ${port.number}`;
  if (tls.mode === 'PASSTHROUGH') return { mode: 'passthrough' };
  if (tls.mode === 'ISTIO_MUTUAL') return { mode: 'mesh' };
  if (tls.mode === 'AUTO_PASSTHROUGH') {
    say(`${at}: AUTO_PASSTHROUGH`, 'the server is not served: write its destinations, with PASSTHROUGH');
    return 'none';
  }
  const certificate = certificateOf(tls);
  if (certificate === undefined) {
    if (tls.httpsRedirect === true) return undefined;
    say(`${at} without a certificate`, 'the server is not served');
    return 'none';
  }
  for (const field of beyond) if (tls[field] !== undefined) say(`${at}: ${field}`, 'it is passed over');
  return terminated(certificate, {
    clients: tls.mode === 'MUTUAL' ? 'require' : tls.mode === 'OPTIONAL_MUTUAL' ? 'optional' : 'off',
    names: tls.subjectAltNames ?? [],
    least: tls.minProtocolVersion === 'TLSV1_3' ? '1.3' : '1.2',
  });
}

const beyond = [
  'credentialNames',
  'caCertCredentialName',
  'tlsCertificates',
  'caCrl',
  'verifyCertificateSpki',
  'verifyCertificateHash',
  'maxProtocolVersion',
  'cipherSuites',
  'insecureSkipVerify',
] as const satisfies readonly (keyof ServerTls)[];

function certificateOf(tls: ServerTls): GatewayCertificate | undefined {
  const { credentialName, serverCertificate, privateKey, caCertificates } = tls;
  if (credentialName !== undefined) return { kind: 'secret', name: credentialName };
  if (serverCertificate === undefined || privateKey === undefined) return undefined;
  const ca = caCertificates === undefined ? {} : { ca: caCertificates };
  return { kind: 'files', certificates: serverCertificate, privateKey, ...ca };
}
