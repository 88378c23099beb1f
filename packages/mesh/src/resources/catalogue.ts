import type { Severity } from './finding.ts';

/** What is the same for every finding of a code. */
export interface CatalogueEntry {
  readonly severity: Severity;
  /** Why it matters. */
  readonly explanation: string;
  readonly fix: string;
  /** The same check in Kiali (`KIA…`) and istioctl (`IST…`). */
  readonly documented: readonly string[];
}

/** A code that reading can give. */
export type ReadingCode =
  | 'SYNTAX'
  | 'NOT_AN_OBJECT'
  | 'UNKNOWN_KIND'
  | 'UNSUPPORTED_KIND'
  | 'REMOVED_KIND'
  | 'OLD_API_VERSION'
  | 'UNKNOWN_API_VERSION'
  | 'UNKNOWN_FIELD'
  | 'MISSING_FIELD'
  | 'WRONG_VALUE'
  | 'DUPLICATE_OBJECT'
  | 'OLD_LEAST_CONN'
  | 'OLD_CONSECUTIVE_ERRORS'
  | 'OLD_CIRCUIT_BREAKER'
  | 'OLD_FIELD';

/** The findings that reading alone gives. */
export const readingCatalogue: Readonly<Record<ReadingCode, CatalogueEntry>> = {
  SYNTAX: {
    severity: 'error',
    explanation: 'The text is not valid YAML, so what is meant cannot be known.',
    fix: 'Correct the text at this place; indentation and colons are the usual cause.',
    documented: ['IST0106'],
  },
  NOT_AN_OBJECT: {
    severity: 'error',
    explanation: 'Every document is one object with apiVersion and kind.',
    fix: 'Write apiVersion, kind, metadata and spec, or remove the document.',
    documented: ['IST0106'],
  },
  UNKNOWN_KIND: {
    severity: 'error',
    explanation:
      'The group belongs to the mesh, but nothing reads this kind, so the object would have no effect.',
    fix: 'Use the kind that took its place, or remove the object.',
    documented: ['IST0106'],
  },
  UNSUPPORTED_KIND: {
    severity: 'warning',
    explanation: 'Istio reads this kind, Heddle does not: what it says has no effect here.',
    fix: 'Say the same with the kinds that docs/mesh.md lists, or keep the object for Istio alone.',
    documented: [],
  },
  REMOVED_KIND: {
    severity: 'error',
    explanation: 'This kind was removed from Istio; no version that is maintained reads it.',
    fix: 'Use PeerAuthentication, RequestAuthentication and AuthorizationPolicy.',
    documented: ['IST0106'],
  },
  OLD_API_VERSION: {
    severity: 'info',
    explanation: 'The version is still read, with the schema of today’s.',
    fix: 'Write the version of today.',
    documented: ['IST0002', 'IST0133'],
  },
  UNKNOWN_API_VERSION: {
    severity: 'error',
    explanation: 'The group never had this version, so an API server refuses the object.',
    fix: 'Write the version of today.',
    documented: ['IST0106'],
  },
  UNKNOWN_FIELD: {
    severity: 'error',
    explanation:
      'The field is not in the schema. An API server drops it or refuses the object; what it says has no effect.',
    fix: 'Correct the name, or remove the field.',
    documented: ['IST0106'],
  },
  MISSING_FIELD: {
    severity: 'error',
    explanation: 'The schema asks for this field; without it the object is refused.',
    fix: 'Write the field.',
    documented: ['IST0106'],
  },
  WRONG_VALUE: {
    severity: 'error',
    explanation: 'The schema does not allow this value; with it the object is refused.',
    fix: 'Write a value of the kind that is expected.',
    documented: ['IST0106'],
  },
  DUPLICATE_OBJECT: {
    severity: 'error',
    explanation:
      'Two objects of a kind have the same namespace and name; the one that is applied last replaces the other.',
    fix: 'Rename one of them, or join them.',
    documented: [],
  },
  OLD_LEAST_CONN: {
    severity: 'warning',
    explanation: 'LEAST_CONN is deprecated; it is read as LEAST_REQUEST, as istiod does.',
    fix: 'Write LEAST_REQUEST.',
    documented: ['IST0002', 'IST0133'],
  },
  OLD_CONSECUTIVE_ERRORS: {
    severity: 'warning',
    explanation:
      'Istio accepts consecutiveErrors and ignores it: its default of five 5xx answers applies. Heddle reads it as consecutive5xxErrors, which is what it says.',
    fix: 'Write consecutive5xxErrors (and consecutiveGatewayErrors where 502 to 504 should count by themselves).',
    documented: ['IST0002', 'IST0133'],
  },
  OLD_CIRCUIT_BREAKER: {
    severity: 'error',
    explanation:
      'trafficPolicy.circuitBreaker is in no version of Istio’s schema: an API server drops or refuses it. Heddle reads its content as outlierDetection.',
    fix: 'Move the content to trafficPolicy.outlierDetection.',
    documented: ['IST0106'],
  },
  OLD_FIELD: {
    severity: 'warning',
    explanation: 'The field is deprecated; it is read as the field that took its place.',
    fix: 'Write the new field.',
    documented: ['IST0002', 'IST0133'],
  },
};
