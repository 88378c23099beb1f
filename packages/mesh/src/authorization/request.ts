/** What a token that was verified says. */
export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** All claims, those above among them. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What HTTP adds to a connection. */
export interface HttpFacts {
  readonly method: string;
  /** As the server routes it: normalised, with or without the query (which no rule sees). */
  readonly path: string;
  /** The authority, with its port where one was sent. */
  readonly host: string;
  /** The value of a header by its name in lower case, several joined by commas; undefined where it was not sent. */
  readonly header: (name: string) => string | undefined;
  /** Undefined where no valid token came. */
  readonly token?: TokenClaims;
}

/** What policies ask about. Nothing here is believed: whoever fills it in has proved it. */
export interface AuthorizationRequest {
  /** The peer's identity from its certificate, without `spiffe://`; empty without mTLS. */
  readonly principal: string;
  /** Of the peer itself. */
  readonly sourceIp: string;
  /** Of the client that trusted proxies name; the peer's own where there are none. */
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** The server name of the TLS handshake; empty without one. */
  readonly sni: string;
  /** Undefined for a port that is not HTTP. */
  readonly http?: HttpFacts;
}
