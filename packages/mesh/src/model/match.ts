import type { ValueMatch } from '@heddle/proxy/model';

/** How a text is compared. A regular expression is RE2's and must match the whole text. */
export interface StringMatch {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

/**
 * How a path is compared. `prefix` is Istio's: the first characters, wherever they end (`/api` matches `/apix`);
 * `segments` is the Gateway API's: on segment borders.
 */
export interface PathCondition {
  readonly kind: 'exact' | 'prefix' | 'segments' | 'regex';
  readonly value: string;
  /** Default false. Not for `regex`. */
  readonly ignoreCase?: boolean;
}

/** Which workloads a rule is for. Empty members are no condition. */
export interface SourceMatch {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A condition on a header: `ValueMatch`, or its opposite. */
export interface HeaderMatch extends ValueMatch {
  /** It must not hold (`withoutHeaders`). A header that is not there does not match. Default false. */
  readonly not?: boolean;
}

/** Which requests a rule is for: all of these must hold; what is left out is no condition. */
export interface RuleMatch {
  readonly path?: PathCondition;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly scheme?: StringMatch;
  readonly headers?: readonly HeaderMatch[];
  readonly query?: readonly ValueMatch[];
  /** Decided where the rules are handed out, by who asks for them. */
  readonly source?: SourceMatch;
  /** Of connections that are passed on as they are: the server name that TLS asks for, `*.shop.example` for all below. */
  readonly sni?: readonly string[];
  /** Of such connections too: where they were going, and where they come from, as CIDR blocks. */
  readonly destinationSubnets?: readonly string[];
  readonly sourceSubnet?: string;
}
