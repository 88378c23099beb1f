import { type Code, HeddleError } from '../error.ts';

interface Meaning {
  readonly code: Code;
  readonly reason: string;
  readonly advice: string;
}

const notTrusted: Meaning = {
  code: 'unauthenticated',
  reason: 'CERTIFICATE_NOT_TRUSTED',
  advice:
    'no authority in `trust` stands behind the certificate; is the bundle the right one, and are intermediates sent?',
};
const revocationUnknown: Meaning = {
  code: 'unauthenticated',
  reason: 'REVOCATION_UNKNOWN',
  advice: 'each authority in the chain needs a revocation list in `revocations` that is valid now',
};

/** OpenSSL's words for why a certificate does not pass (X509_verify_cert_error_string(3)), where there is more to say. */
const ofVerification: ReadonlyMap<string, Meaning> = new Map([
  [
    'CERT_HAS_EXPIRED',
    {
      code: 'unauthenticated',
      reason: 'CERTIFICATE_EXPIRED',
      advice: 'a certificate in the chain has expired; renew it',
    },
  ],
  [
    'CERT_NOT_YET_VALID',
    {
      code: 'unauthenticated',
      reason: 'CERTIFICATE_NOT_YET_VALID',
      advice: 'a certificate in the chain is not valid yet; are the clocks right?',
    },
  ],
  [
    'CERT_REVOKED',
    {
      code: 'unauthenticated',
      reason: 'CERTIFICATE_REVOKED',
      advice: 'a certificate in the chain has been revoked',
    },
  ],
  ['UNABLE_TO_GET_CRL', revocationUnknown],
  ['CRL_HAS_EXPIRED', revocationUnknown],
  ['CRL_NOT_YET_VALID', revocationUnknown],
  ['CRL_SIGNATURE_FAILURE', revocationUnknown],
]);

/** A peer that refuses our certificate says so by one of these alerts (RFC 8446 section 6.2). */
const refusedOurs =
  /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED|CERTIFICATE_REQUIRED)$/;

// The word of OpenSSL when what came is no record of TLS.
const plaintext = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|RECORD_LAYER/;

/** True for an error by which the peer says that it does not take us for who we should be. */
export function refusesOurs(error: Error): boolean {
  return 'code' in error && refusedOurs.test(String(error.code));
}

/** Why certificates of a peer are refused, by OpenSSL's word. `found` is for people. */
export function certificateFailure(word: string, where: string, cause?: Error): HeddleError {
  const { code, reason, advice } = ofVerification.get(word) ?? notTrusted;
  const message = `TLS with ${where}: the peer's certificate is refused (${word}): ${advice}`;
  return new HeddleError({ code, reason, message, sent: false, cause });
}

/** What broke a handshake, or ended a connection by an alert. `where`: with whom. */
export function tlsFailure(error: Error, where: string): HeddleError {
  const word = 'code' in error ? String(error.code) : '';
  if (refusesOurs(error)) {
    const message = `TLS with ${where}: the peer does not accept our certificate, or wants one (${word}); is its trust bundle the right one?`;
    return new HeddleError({
      code: 'unauthenticated',
      reason: 'OWN_CERTIFICATE_REFUSED',
      message,
      sent: false,
      cause: error,
    });
  }
  if (isVerification(word)) return certificateFailure(word, where, error);
  const advice = plaintext.test(word) ? '; what came is not TLS: is it spoken on that port?' : '';
  const message = `TLS with ${where}: the handshake failed: ${error.message}${advice}`;
  return new HeddleError({
    code: 'unavailable',
    reason: 'TLS_HANDSHAKE_FAILED',
    message,
    sent: false,
    cause: error,
  });
}

function isVerification(word: string): boolean {
  return (
    ofVerification.has(word) || (/CERT|ISSUER|CRL|CHAIN|PURPOSE|CA$/.test(word) && !word.startsWith('ERR_'))
  );
}
