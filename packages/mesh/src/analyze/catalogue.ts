// Long because it is a table: one entry for each finding.
import type { CatalogueEntry } from '../resources/index.ts';

/** What is the same for every finding of an analysis. */
export interface AnalysisEntry extends CatalogueEntry {
  /** It says that something does not exist: in a part of a mesh it cannot be said. */
  readonly absence?: true;
}

/** A code that an analysis can give. */
export type AnalysisCode =
  | 'VIRTUAL_SERVICE_HOST_DUPLICATE'
  | 'EXPORT_NAMESPACE_NOT_FOUND'
  | 'VIRTUAL_SERVICE_WITHOUT_ROUTES'
  | 'RULE_WITHOUT_ACTION'
  | 'DESTINATION_HOST_NOT_FOUND'
  | 'DESTINATION_PORT_NOT_FOUND'
  | 'DESTINATION_PORT_NEEDED'
  | 'RULES_NOT_TAKEN_AT_GATEWAY'
  | 'SUBSET_NOT_FOUND'
  | 'GATEWAY_NOT_FOUND'
  | 'GATEWAY_OF_KUBERNETES'
  | 'GATEWAY_NAME_FORM'
  | 'HOST_NOT_IN_GATEWAY'
  | 'CLAIMS_WITHOUT_AUTHENTICATION'
  | 'WEIGHT_OF_ONE'
  | 'WEIGHTS_SUM'
  | 'WEIGHTS_ALL_ZERO'
  | 'DESTINATION_DUPLICATE'
  | 'RULE_UNREACHABLE'
  | 'MATCH_INEFFECTIVE'
  | 'INVALID_REGEX'
  | 'DELEGATE_NOT_FOUND'
  | 'FAULT_SHARE_SMALL'
  | 'DESTINATION_RULE_HOST_NOT_FOUND'
  | 'DESTINATION_RULE_DUPLICATE'
  | 'SUBSET_SELECTS_NOTHING'
  | 'SUBSET_WITHOUT_LABELS'
  | 'TLS_NOT_VERIFIED'
  | 'PORT_TLS_NOT_VERIFIED'
  | 'TLS_OVERRIDDEN'
  | 'PEER_AUTHENTICATION_OF_MESH_MISSING'
  | 'PEER_AUTHENTICATION_OF_NAMESPACE_MISSING'
  | 'MTLS_NAMESPACE_STRICT'
  | 'MTLS_MESH_STRICT'
  | 'DESTINATION_RULE_OF_MESH_MISSING'
  | 'DESTINATION_RULE_OF_NAMESPACE_MISSING'
  | 'MTLS_NAMESPACE_DISABLED'
  | 'MTLS_MESH_DISABLED'
  | 'MTLS_CONFLICT'
  | 'PORT_MTLS_WITHOUT_SELECTOR'
  | 'PORT_MTLS_UNKNOWN_PORT'
  | 'GATEWAY_HOST_DUPLICATE'
  | 'GATEWAY_SELECTS_NOTHING'
  | 'GATEWAY_PORT_NOT_SERVED'
  | 'GATEWAY_CERTIFICATE_DUPLICATE'
  | 'KUBERNETES_GATEWAY_HOST_DUPLICATE'
  | 'KUBERNETES_GATEWAY_ADDRESS_DUPLICATE'
  | 'LISTENER_DUPLICATE'
  | 'ROUTE_GATEWAY_NOT_FOUND'
  | 'ROUTE_NOT_ALLOWED'
  | 'ROUTE_BACKEND_NOT_FOUND'
  | 'REFERENCE_NOT_GRANTED'
  | 'SERVICE_ENTRY_ADDRESS_MISSING'
  | 'SERVICE_ENTRY_ADDRESSES_NEEDED'
  | 'SERVICE_ENTRY_PROTOCOLS'
  | 'SERVICE_ENTRY_OF_SERVICE'
  | 'SERVICE_ENTRY_ENDPOINTS'
  | 'SIDECAR_HOST_NOT_FOUND'
  | 'SIDECAR_OF_MESH_WITH_SELECTOR'
  | 'SIDECAR_DUPLICATE'
  | 'SIDECAR_CONFLICT'
  | 'EGRESS_HOST_FORM'
  | 'POLICY_DUPLICATE'
  | 'POLICY_CONFLICT'
  | 'POLICY_SELECTS_NOTHING'
  | 'SELECTOR_OF_KUBERNETES_GATEWAY'
  | 'TARGET_NOT_FOUND'
  | 'TELEMETRY_DUPLICATE'
  | 'TELEMETRY_CONFLICT'
  | 'NAMESPACE_NOT_FOUND'
  | 'METHOD_NOT_VALID'
  | 'POLICY_HOST_NOT_FOUND'
  | 'NEEDS_MTLS'
  | 'NEEDS_MTLS_BUT_DISABLED'
  | 'SERVICE_ACCOUNT_NOT_FOUND'
  | 'RULES_ARE_ALTERNATIVES'
  | 'NOT_EMPTY_MATCHES_ALL'
  | 'LOCKS_EVERYONE_OUT'
  | 'NEVER_MATCHES'
  | 'POLICY_WITHOUT_EFFECT'
  | 'NEEDS_REQUEST_AUTHENTICATION'
  | 'UNKNOWN_CONDITION'
  | 'CONDITION_WITHOUT_VALUES'
  | 'PROVIDER_MISPLACED'
  | 'INVALID_ADDRESS'
  | 'INVALID_PORT'
  | 'INVALID_PATH_TEMPLATE'
  | 'HTTP_ON_TCP_PORT'
  | 'JWT_RULE_INVALID'
  | 'PORT_NAME'
  | 'EXTERNAL_NAME_PORT'
  | 'APP_PROTOCOL'
  | 'SERVICE_PORT_NOT_EXPOSED'
  | 'SERVICE_PORT_DIFFERS'
  | 'SERVICE_SELECTS_NOTHING'
  | 'WORKLOAD_IN_SEVERAL_SERVICES'
  | 'WORKLOAD_PORT_IN_SEVERAL_SERVICES'
  | 'APPLICATION_AS_PROXY_USER'
  | 'INJECTION_LABELS_CONFLICT'
  | 'NAMESPACE_NOT_INJECTED'
  | 'POD_WITHOUT_SIDECAR'
  | 'IMAGE_AUTO_NOT_INJECTED'
  | 'SIDECAR_IN_AMBIENT'
  | 'TELEMETRY_WITHOUT_PROVIDER'
  | 'GATEWAY_SECRET_NOT_FOUND'
  | 'GATEWAY_SECRET_INVALID';

/** The findings of an analysis, those of reading apart. */
export const analysisCatalogue: Readonly<Record<AnalysisCode, AnalysisEntry>> = {
  VIRTUAL_SERVICE_HOST_DUPLICATE: {
    severity: 'warning',
    explanation:
      'Only one VirtualService of a host is used in a place; which one is a matter of age, and the rules of the others have no effect.',
    fix: 'Join them into one, or make one delegate to the others.',
    documented: ['KIA1106', 'IST0109'],
  },
  EXPORT_NAMESPACE_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation: 'Nothing runs in a namespace of this name, so nobody sees what is exported to it.',
    fix: 'Correct the name: "." is the object’s own namespace, "*" all of them.',
    documented: ['KIA0005', 'IST0101'],
  },
  VIRTUAL_SERVICE_WITHOUT_ROUTES: {
    severity: 'error',
    explanation: 'A VirtualService without http, tls and tcp rules routes nothing.',
    fix: 'Write a rule, or remove the object.',
    documented: ['KIA1103', 'IST0106'],
  },
  RULE_WITHOUT_ACTION: {
    severity: 'error',
    explanation:
      'A rule that matches must say what happens: route, redirect, directResponse or delegate. Without it every request that it matches is answered with 404.',
    fix: 'Write a route, or remove the rule.',
    documented: ['IST0106'],
  },
  DESTINATION_HOST_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation:
      'The host is neither a Service nor an entry that this namespace sees, so requests end with 503.',
    fix: 'Correct the name (short names are of the object’s own namespace), or add the Service or ServiceEntry.',
    documented: ['KIA1101', 'IST0101'],
  },
  DESTINATION_PORT_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The service has no such port, so requests end with 503.',
    fix: 'Use one of the service’s ports.',
    documented: ['IST0101'],
  },
  DESTINATION_PORT_NEEDED: {
    severity: 'error',
    absence: true,
    explanation: 'The service has several ports, and the destination names none.',
    fix: 'Name the port: port: {number: …}.',
    documented: ['IST0112'],
  },
  RULES_NOT_TAKEN_AT_GATEWAY: {
    severity: 'info',
    explanation:
      'A gateway goes by its own rules alone: the split into subsets that another VirtualService writes for this host is not made for what comes by the gateway.',
    fix: 'Write the subsets here too, or name the gateway in the other VirtualService.',
    documented: ['IST0140'],
  },
  SUBSET_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'No DestinationRule of the host has this subset, so requests end with 503.',
    fix: 'Add the subset to a DestinationRule of the host, or correct its name.',
    documented: ['KIA1107', 'IST0101'],
  },
  GATEWAY_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The rules are attached to a gateway that does not exist, so they have no effect there.',
    fix: 'Correct the name, or add the Gateway.',
    documented: ['KIA1102', 'IST0101'],
  },
  GATEWAY_OF_KUBERNETES: {
    severity: 'warning',
    explanation:
      'The name is the one that Istio gives inside of itself to a Gateway of the Gateway API; rules attached to it are not taken.',
    fix: 'Write an HTTPRoute with that Gateway as its parent.',
    documented: ['IST0165'],
  },
  GATEWAY_NAME_FORM: {
    severity: 'warning',
    explanation: 'The form of a name of a service is not one of a gateway; it is understood as another name.',
    fix: 'Write namespace/name.',
    documented: ['KIA1108'],
  },
  HOST_NOT_IN_GATEWAY: {
    severity: 'warning',
    absence: true,
    explanation: 'None of the gateway’s servers serves this host, so its rules have no effect there.',
    fix: 'Add the host to a server of the gateway, or correct it.',
    documented: ['IST0132'],
  },
  CLAIMS_WITHOUT_AUTHENTICATION: {
    severity: 'error',
    absence: true,
    explanation:
      'Claims of a token are known only where a RequestAuthentication verifies it: without one for the gateway the rule never matches.',
    fix: 'Add a RequestAuthentication that selects the gateway’s workload.',
    documented: ['IST0149'],
  },
  WEIGHT_OF_ONE: {
    severity: 'info',
    explanation: 'A single destination gets all requests whatever its weight.',
    fix: 'Remove the weight, or add the destination that gets the rest.',
    documented: ['KIA1104'],
  },
  WEIGHTS_SUM: {
    severity: 'info',
    explanation: 'Weights are relative to their sum; older versions of Istio demanded 100.',
    fix: 'Make them add up to 100, so that they read as percentages.',
    documented: [],
  },
  WEIGHTS_ALL_ZERO: {
    severity: 'error',
    explanation: 'With all weights 0 there is no destination left.',
    fix: 'Give at least one destination a weight.',
    documented: ['IST0106'],
  },
  DESTINATION_DUPLICATE: {
    severity: 'warning',
    explanation:
      'The same host and subset is a destination twice; one with the sum of the weights says the same.',
    fix: 'Join them into one.',
    documented: ['KIA1105'],
  },
  RULE_UNREACHABLE: {
    severity: 'warning',
    explanation:
      'The first rule that matches is taken; a rule before this one matches everything, or the same.',
    fix: 'Move the rule up, or remove it.',
    documented: ['IST0130'],
  },
  MATCH_INEFFECTIVE: {
    severity: 'info',
    explanation:
      'Another match of the same rule, or one of a rule before it, already takes what this one would.',
    fix: 'Remove it, or move it up.',
    documented: ['IST0131'],
  },
  INVALID_REGEX: {
    severity: 'error',
    explanation: 'The expression is not valid in RE2, so the object is refused.',
    fix: 'Correct the expression; look-around and back-references are not in RE2.',
    documented: ['IST0122'],
  },
  DELEGATE_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The delegate does not exist, so the requests that the rule matches get 404.',
    fix: 'Correct the name, or add the VirtualService (without hosts).',
    documented: ['IST0101'],
  },
  FAULT_SHARE_SMALL: {
    severity: 'info',
    explanation: 'The value is in percent: 0.1 is one request in a thousand.',
    fix: 'Write 10 for one request in ten.',
    documented: [],
  },
  DESTINATION_RULE_HOST_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The host is neither a Service nor an entry, so the rule has no effect.',
    fix: 'Correct the name, or add the Service or ServiceEntry.',
    documented: ['KIA0202', 'IST0174'],
  },
  DESTINATION_RULE_DUPLICATE: {
    severity: 'warning',
    explanation:
      'Two DestinationRules of a host in one namespace are joined only by their subsets; the traffic policy of one of them is ignored.',
    fix: 'Join them into one.',
    documented: ['KIA0201'],
  },
  SUBSET_SELECTS_NOTHING: {
    severity: 'warning',
    absence: true,
    explanation:
      'No workload of the host carries these labels, so the subset is empty and requests to it get 503.',
    fix: 'Correct the labels, or deploy workloads that carry them.',
    documented: ['KIA0203', 'IST0173'],
  },
  SUBSET_WITHOUT_LABELS: {
    severity: 'warning',
    explanation: 'A subset without labels is all of the host.',
    fix: 'Write the labels.',
    documented: ['KIA0209'],
  },
  TLS_NOT_VERIFIED: {
    severity: 'warning',
    explanation:
      'Without caCertificates, credentialName or subjectAltNames a server’s certificate is checked against the system’s roots at best.',
    fix: 'Name the authority: caCertificates or credentialName.',
    documented: ['IST0128'],
  },
  PORT_TLS_NOT_VERIFIED: {
    severity: 'warning',
    explanation:
      'Without caCertificates, credentialName or subjectAltNames a server’s certificate is checked against the system’s roots at best.',
    fix: 'Name the authority in the port’s settings.',
    documented: ['IST0129'],
  },
  TLS_OVERRIDDEN: {
    severity: 'warning',
    explanation: 'The rule replaces a wider one that demands mTLS and says nothing about TLS itself.',
    fix: 'Write trafficPolicy.tls here too.',
    documented: ['KIA0204'],
  },
  PEER_AUTHENTICATION_OF_MESH_MISSING: {
    severity: 'info',
    absence: true,
    explanation:
      'Callers are told to use mTLS everywhere, while no PeerAuthentication of the root namespace speaks of it: services take plaintext as well.',
    fix: 'Add a PeerAuthentication to the root namespace.',
    documented: ['KIA0205'],
  },
  PEER_AUTHENTICATION_OF_NAMESPACE_MISSING: {
    severity: 'info',
    absence: true,
    explanation:
      'Callers are told to use mTLS in the namespace, while no PeerAuthentication of it or of the mesh speaks of it: services take plaintext as well.',
    fix: 'Add a PeerAuthentication to the namespace.',
    documented: ['KIA0206'],
  },
  MTLS_NAMESPACE_STRICT: {
    severity: 'error',
    explanation:
      'Callers are told not to use TLS, while the namespace’s services take nothing but mTLS: every call fails.',
    fix: 'Make the PeerAuthentication PERMISSIVE, or use ISTIO_MUTUAL in the DestinationRule.',
    documented: ['KIA0207'],
  },
  MTLS_MESH_STRICT: {
    severity: 'error',
    explanation:
      'Callers are told not to use TLS, while the mesh’s services take nothing but mTLS: every call fails.',
    fix: 'Make the PeerAuthentication PERMISSIVE, or use ISTIO_MUTUAL in the DestinationRule.',
    documented: ['KIA0208'],
  },
  DESTINATION_RULE_OF_MESH_MISSING: {
    severity: 'info',
    absence: true,
    explanation:
      'The mesh takes mTLS only, and no DestinationRule says so to callers; with automatic mTLS (the default) none is needed.',
    fix: 'Nothing with automatic mTLS; else add a DestinationRule for *.local with ISTIO_MUTUAL.',
    documented: ['KIA0401'],
  },
  DESTINATION_RULE_OF_NAMESPACE_MISSING: {
    severity: 'info',
    absence: true,
    explanation:
      'The namespace takes mTLS only, and no DestinationRule says so to callers; with automatic mTLS (the default) none is needed.',
    fix: 'Nothing with automatic mTLS; else add a DestinationRule for the namespace with ISTIO_MUTUAL.',
    documented: ['KIA0501'],
  },
  MTLS_NAMESPACE_DISABLED: {
    severity: 'error',
    explanation:
      'The namespace’s services take plaintext only, while a DestinationRule tells callers to use mTLS: every call fails.',
    fix: 'Remove one of the two, or disable TLS in a DestinationRule of the namespace.',
    documented: ['KIA0505'],
  },
  MTLS_MESH_DISABLED: {
    severity: 'error',
    explanation:
      'The mesh’s services take plaintext only, while a DestinationRule tells callers to use mTLS: every call fails.',
    fix: 'Remove one of the two, or disable TLS in a DestinationRule.',
    documented: ['KIA0506'],
  },
  MTLS_CONFLICT: {
    severity: 'error',
    explanation: 'What callers send and what the service takes exclude each other: every call fails.',
    fix: 'Make the DestinationRule’s tls and the PeerAuthentication agree.',
    documented: [],
  },
  PORT_MTLS_WITHOUT_SELECTOR: {
    severity: 'error',
    explanation: 'portLevelMtls has an effect only in a policy that selects workloads.',
    fix: 'Add a selector, or remove portLevelMtls.',
    documented: ['IST0106'],
  },
  PORT_MTLS_UNKNOWN_PORT: {
    severity: 'warning',
    absence: true,
    explanation:
      'The keys of portLevelMtls are ports of the workload, not of the service; the selected workloads have none of this number.',
    fix: 'Write the port that the workload listens on.',
    documented: [],
  },
  GATEWAY_HOST_DUPLICATE: {
    severity: 'warning',
    explanation:
      'Two Gateways of one gateway workload have the same host on the same port; which one serves it is a matter of age.',
    fix: 'Make them one, or give them hosts of their own.',
    documented: ['KIA0301', 'IST0145'],
  },
  GATEWAY_SELECTS_NOTHING: {
    severity: 'warning',
    absence: true,
    explanation: 'No workload carries these labels, so nothing listens.',
    fix: 'Correct the selector, or deploy the gateway.',
    documented: ['KIA0302', 'IST0101'],
  },
  GATEWAY_PORT_NOT_SERVED: {
    severity: 'warning',
    absence: true,
    explanation: 'The gateway’s Service does not expose this port, so nobody reaches it from outside.',
    fix: 'Add the port to the Service, or use one that it has.',
    documented: ['IST0162', 'IST0104'],
  },
  GATEWAY_CERTIFICATE_DUPLICATE: {
    severity: 'warning',
    explanation:
      'Two Gateways of one workload use the same certificate; clients that reuse a connection (HTTP/2) then get 404.',
    fix: 'Use one Gateway for the hosts of the certificate.',
    documented: ['IST0138'],
  },
  KUBERNETES_GATEWAY_HOST_DUPLICATE: {
    severity: 'warning',
    explanation: 'Two Gateways have listeners with the same hostname and port.',
    fix: 'Give each its own hostname or port.',
    documented: ['KIA1501'],
  },
  KUBERNETES_GATEWAY_ADDRESS_DUPLICATE: {
    severity: 'warning',
    explanation: 'Two Gateways ask for the same address.',
    fix: 'Give each its own address.',
    documented: ['KIA1502'],
  },
  LISTENER_DUPLICATE: {
    severity: 'error',
    explanation:
      'Listeners of a Gateway must differ in port, protocol or hostname; conflicting ones are not programmed.',
    fix: 'Change one of the three.',
    documented: ['KIA1503'],
  },
  ROUTE_GATEWAY_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The route is attached to a Gateway that does not exist, so it has no effect.',
    fix: 'Correct parentRefs, or add the Gateway.',
    documented: ['KIA1401'],
  },
  ROUTE_NOT_ALLOWED: {
    severity: 'error',
    absence: true,
    explanation:
      'No listener of the Gateway takes routes of this namespace (allowedRoutes), so it has no effect.',
    fix: 'Allow the namespace in the listener, or move the route.',
    documented: ['KIA1401'],
  },
  ROUTE_BACKEND_NOT_FOUND: {
    severity: 'error',
    absence: true,
    explanation: 'The backend does not exist, so requests get 500.',
    fix: 'Correct the name and namespace, or add the Service.',
    documented: ['KIA1402', 'IST0101'],
  },
  REFERENCE_NOT_GRANTED: {
    severity: 'error',
    absence: true,
    explanation: 'A backend in another namespace needs a ReferenceGrant there; without it requests get 500.',
    fix: 'Add a ReferenceGrant to the backend’s namespace.',
    documented: ['KIA1402'],
  },
  SERVICE_ENTRY_ADDRESS_MISSING: {
    severity: 'warning',
    absence: true,
    explanation: 'The selected WorkloadEntries have none of the entry’s addresses.',
    fix: 'Add a WorkloadEntry with the address, or correct the address.',
    documented: ['KIA1201'],
  },
  SERVICE_ENTRY_ADDRESSES_NEEDED: {
    severity: 'warning',
    explanation: 'A TCP port of an entry without addresses takes all traffic of that port.',
    fix: 'Write addresses.',
    documented: ['IST0134'],
  },
  SERVICE_ENTRY_PROTOCOLS: {
    severity: 'warning',
    explanation:
      'Two entries that some namespace sees say different protocols of one port of a host; which one is used is a matter of age.',
    fix: 'Write the same protocol in both, or keep one.',
    documented: ['IST0177'],
  },
  SERVICE_ENTRY_OF_SERVICE: {
    severity: 'warning',
    explanation:
      'The host is a Service of Kubernetes already; the entry replaces what is known of it, and MESH_EXTERNAL takes it out of mTLS.',
    fix: 'Remove the entry; for instances outside of the cluster use MESH_INTERNAL with endpoints or workloadSelector.',
    documented: [],
  },
  SERVICE_ENTRY_ENDPOINTS: {
    severity: 'error',
    explanation:
      'Endpoints do not fit the resolution: STATIC needs addresses, DNS names, NONE none; they exclude workloadSelector.',
    fix: 'Make resolution and endpoints agree.',
    documented: ['IST0106'],
  },
  SIDECAR_HOST_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation: 'Nothing in the namespace has this name, so the line has no effect.',
    fix: 'Correct namespace/host, or add the service.',
    documented: ['KIA1004'],
  },
  SIDECAR_OF_MESH_WITH_SELECTOR: {
    severity: 'warning',
    explanation: 'The Sidecar of the root namespace is the default of the mesh; with a selector it is none.',
    fix: 'Remove workloadSelector, or move it to the workloads’ namespace.',
    documented: ['KIA1006'],
  },
  SIDECAR_DUPLICATE: {
    severity: 'error',
    explanation: 'Two Sidecars of a namespace without a selector: which one applies is not defined.',
    fix: 'Keep one.',
    documented: ['KIA0002', 'IST0111'],
  },
  SIDECAR_CONFLICT: {
    severity: 'error',
    explanation: 'Two Sidecars select the same workload: which one applies is not defined.',
    fix: 'Make the selectors exclude each other.',
    documented: ['KIA0003', 'IST0110'],
  },
  EGRESS_HOST_FORM: {
    severity: 'error',
    explanation: 'An egress host is namespace/host.',
    fix: 'Write namespace/host, such as ./* or prod/*.',
    documented: ['IST0106'],
  },
  POLICY_DUPLICATE: {
    severity: 'error',
    explanation:
      'Two policies of this kind in a namespace without a selector: the older one is used, the other has no effect.',
    fix: 'Keep one.',
    documented: ['KIA0002'],
  },
  POLICY_CONFLICT: {
    severity: 'error',
    explanation:
      'Two policies of this kind select the same workload: the older one is used, the other has no effect.',
    fix: 'Make the selectors exclude each other.',
    documented: ['KIA0003'],
  },
  POLICY_SELECTS_NOTHING: {
    severity: 'warning',
    absence: true,
    explanation: 'No workload of the namespace carries these labels, so the policy has no effect.',
    fix: 'Correct the labels, or deploy the workload.',
    documented: ['KIA0004', 'IST0127', 'IST0101'],
  },
  SELECTOR_OF_KUBERNETES_GATEWAY: {
    severity: 'warning',
    explanation:
      'The workload is one of the Gateway API, and policies reach those by targetRefs alone: by a selector it has no effect there.',
    fix: 'Write targetRefs with the Gateway in place of the selector.',
    documented: ['IST0166'],
  },
  TARGET_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation: 'The object that the policy is attached to does not exist, so the policy has no effect.',
    fix: 'Correct targetRefs, or add the object.',
    documented: ['IST0127'],
  },
  TELEMETRY_DUPLICATE: {
    severity: 'error',
    explanation: 'Two Telemetries of a namespace without a selector: which one applies is not defined.',
    fix: 'Keep one.',
    documented: ['KIA0002', 'IST0160'],
  },
  TELEMETRY_CONFLICT: {
    severity: 'error',
    explanation: 'Two Telemetries select the same workload: which one applies is not defined.',
    fix: 'Make the selectors exclude each other.',
    documented: ['KIA0003', 'IST0159'],
  },
  NAMESPACE_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation: 'Nothing runs in a namespace of this name, so nobody matches.',
    fix: 'Correct the name, or create the namespace.',
    documented: ['KIA0101', 'IST0101'],
  },
  METHOD_NOT_VALID: {
    severity: 'warning',
    explanation: 'Neither a method of HTTP nor a gRPC name /package.Service/Method, so no request matches.',
    fix: 'Write GET, POST …; a gRPC method belongs under paths.',
    documented: ['KIA0102'],
  },
  POLICY_HOST_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation:
      'No Service, entry or gateway has this host, so no request that comes by its proper name matches.',
    fix: 'Correct the host, or add the ServiceEntry.',
    documented: ['KIA0104'],
  },
  NEEDS_MTLS: {
    severity: 'info',
    explanation:
      'Identities come from mTLS. The workload takes plaintext as well, and a caller by plaintext has no identity: it never matches here, and always matches a not… field.',
    fix: 'Set PeerAuthentication to STRICT for these workloads.',
    documented: ['KIA0105'],
  },
  NEEDS_MTLS_BUT_DISABLED: {
    severity: 'error',
    explanation: 'Identities come from mTLS, which is disabled for these workloads: nobody ever matches.',
    fix: 'Enable mTLS with a PeerAuthentication.',
    documented: ['KIA0105'],
  },
  SERVICE_ACCOUNT_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation: 'No workload runs as this account, so nobody matches.',
    fix: 'Correct the principal, or create the account.',
    documented: ['KIA0106'],
  },
  RULES_ARE_ALTERNATIVES: {
    severity: 'warning',
    explanation:
      'Rules of a policy are alternatives: one that has only from, one only to, one only when lets everything through that any of them matches.',
    fix: 'Put from, to and when into one rule, if all are meant to hold.',
    documented: [],
  },
  NOT_EMPTY_MATCHES_ALL: {
    severity: 'warning',
    explanation:
      'notValues: [""] also matches requests that do not have the attribute at all, so nearly every request matches.',
    fix: 'Write values: ["*"] for: it is there.',
    documented: [],
  },
  LOCKS_EVERYONE_OUT: {
    severity: 'warning',
    explanation: 'No request to these workloads is allowed any more.',
    fix: 'If that is not meant, add a rule that allows.',
    documented: [],
  },
  NEVER_MATCHES: {
    severity: 'warning',
    explanation: 'No request can match, so the rule has no effect (an ALLOW policy then denies).',
    fix: 'Correct the rule.',
    documented: [],
  },
  POLICY_WITHOUT_EFFECT: {
    severity: 'warning',
    explanation: 'A policy of this action without rules never matches.',
    fix: 'Add rules, or remove the policy.',
    documented: [],
  },
  NEEDS_REQUEST_AUTHENTICATION: {
    severity: 'warning',
    absence: true,
    explanation:
      'Requests have no token’s identity unless a RequestAuthentication is about the workload, so nobody ever matches.',
    fix: 'Add a RequestAuthentication for these workloads.',
    documented: [],
  },
  UNKNOWN_CONDITION: {
    severity: 'error',
    explanation: 'There is no attribute of this name, so the rule as a whole is ignored.',
    fix: 'Use an attribute of docs/mesh.md.',
    documented: ['IST0106'],
  },
  CONDITION_WITHOUT_VALUES: {
    severity: 'error',
    explanation: 'A condition needs values or notValues.',
    fix: 'Write one of them.',
    documented: ['IST0106'],
  },
  PROVIDER_MISPLACED: {
    severity: 'error',
    explanation: 'A provider belongs to CUSTOM, and CUSTOM needs one.',
    fix: 'Set action: CUSTOM with provider.name, or remove the provider.',
    documented: ['IST0106'],
  },
  INVALID_ADDRESS: {
    severity: 'error',
    explanation: 'Neither an address nor a block of addresses; nothing matches.',
    fix: 'Write 203.0.113.4 or 203.0.113.0/24.',
    documented: ['IST0106'],
  },
  INVALID_PORT: {
    severity: 'error',
    explanation: 'Not a port from 1 to 65535; nothing matches.',
    fix: 'Write the number as a text: "8080".',
    documented: ['IST0106'],
  },
  INVALID_PATH_TEMPLATE: {
    severity: 'error',
    explanation: 'A template takes {*} for a segment and {**} as its last operator, and no other *, { or }.',
    fix: 'Correct the template.',
    documented: ['IST0106'],
  },
  HTTP_ON_TCP_PORT: {
    severity: 'warning',
    absence: true,
    explanation:
      'The port is not HTTP: an ALLOW rule that asks for HTTP never matches there, a DENY rule’s HTTP parts are ignored, so that it denies more.',
    fix: 'Ask for ports and callers only, or name the port’s protocol.',
    documented: [],
  },
  JWT_RULE_INVALID: {
    severity: 'error',
    explanation: 'A rule needs an issuer, and either jwks or jwksUri.',
    fix: 'Correct the rule.',
    documented: ['IST0106'],
  },
  PORT_NAME: {
    severity: 'warning',
    explanation:
      'The protocol of a port is told by its name; this one is TCP therefore: no routing, retries or HTTP metrics.',
    fix: 'Name it <protocol>[-suffix], e.g. http-web, or write appProtocol.',
    documented: ['KIA0601', 'IST0118'],
  },
  EXTERNAL_NAME_PORT: {
    severity: 'warning',
    explanation:
      'A port of an ExternalName service whose protocol is TCP takes all traffic of that port, whatever host it is for.',
    fix: 'Name the port after what is spoken, such as http or tls.',
    documented: ['IST0150'],
  },
  APP_PROTOCOL: {
    severity: 'warning',
    explanation: 'Nobody knows this protocol, so the port is TCP.',
    fix: 'Write http, http2, grpc, tcp, tls, https …',
    documented: ['KIA0602'],
  },
  SERVICE_PORT_NOT_EXPOSED: {
    severity: 'warning',
    absence: true,
    explanation:
      'The selected workloads declare no such port; if they do not listen there, every call fails.',
    fix: 'Correct targetPort, or declare the port in the container.',
    documented: ['KIA0701'],
  },
  SERVICE_PORT_DIFFERS: {
    severity: 'info',
    absence: true,
    explanation:
      'The workload listens on another port than the service; policies by port (ports, portLevelMtls) mean the workload’s.',
    fix: 'Nothing, if policies name the workload’s port.',
    documented: ['KIA0701'],
  },
  SERVICE_SELECTS_NOTHING: {
    severity: 'warning',
    absence: true,
    explanation: 'No workload of the namespace carries these labels, so the service has no instances.',
    fix: 'Correct the selector, or deploy the workload.',
    documented: ['IST0127'],
  },
  WORKLOAD_IN_SEVERAL_SERVICES: {
    severity: 'warning',
    explanation:
      'Services with different protocols for one port of a workload: the proxy uses the protocol of one of them.',
    fix: 'Name the protocol alike.',
    documented: ['IST0116'],
  },
  WORKLOAD_PORT_IN_SEVERAL_SERVICES: {
    severity: 'warning',
    explanation:
      'Services reach one port of the workload by different ports of their own: what is configured by port holds for one of them.',
    fix: 'Give the services the same port, or the workload a port for each.',
    documented: ['IST0137'],
  },
  APPLICATION_AS_PROXY_USER: {
    severity: 'warning',
    explanation:
      'The user 1337 is that of Envoy sidecars: what an application of this user sends is taken for a sidecar’s own and goes past the mesh.',
    fix: 'Run the application as another user.',
    documented: ['IST0144'],
  },
  INJECTION_LABELS_CONFLICT: {
    severity: 'warning',
    explanation:
      'The namespace says by two labels who injects its sidecars; istio-injection wins, and the revision has no effect.',
    fix: 'Keep one of istio-injection and istio.io/rev.',
    documented: ['IST0123'],
  },
  NAMESPACE_NOT_INJECTED: {
    severity: 'info',
    explanation:
      'Pods of a namespace get sidecars where a label says so. Without one only those pods get theirs that ask for it themselves.',
    fix: 'Label it istio-injection=enabled, or istio-injection=disabled where none are wanted.',
    documented: ['IST0102'],
  },
  POD_WITHOUT_SIDECAR: {
    severity: 'warning',
    explanation:
      'Labels say that the pod gets a sidecar, but it was made when nothing injected it: its calls go past the mesh.',
    fix: 'Let the pod be made anew: kubectl rollout restart.',
    documented: ['IST0103'],
  },
  IMAGE_AUTO_NOT_INJECTED: {
    severity: 'warning',
    explanation:
      'The container istio-proxy with the image "auto" is a place that injection fills. Nothing injects this pod, and there is no image "auto".',
    fix: 'Label the pod sidecar.istio.io/inject: "true", or its namespace istio-injection=enabled.',
    documented: ['IST0146', 'IST0147'],
  },
  SIDECAR_IN_AMBIENT: {
    severity: 'warning',
    explanation:
      'Workloads of a namespace in ambient mode have no sidecars with Istio, so the object has no effect there.',
    fix: 'Remove the object, or the label istio.io/dataplane-mode of the namespace.',
    documented: ['IST0167'],
  },
  TELEMETRY_WITHOUT_PROVIDER: {
    severity: 'warning',
    explanation:
      'Access logs are written by a provider. Without one, and without a default one in Istio’s mesh configuration, the entry has no effect.',
    fix: 'Name one, as in providers: [{ name: envoy }].',
    documented: ['IST0157'],
  },
  GATEWAY_SECRET_NOT_FOUND: {
    severity: 'warning',
    absence: true,
    explanation:
      'The Secret with the certificate is not in the namespace of the gateway’s workload: TLS with this server fails, unless it is kept elsewhere than the rules.',
    fix: 'Correct credentialName, or make the Secret in the namespace of the gateway’s workload.',
    documented: ['IST0101'],
  },
  GATEWAY_SECRET_INVALID: {
    severity: 'error',
    explanation: 'No certificate and key can be had of the Secret, so TLS with this server fails.',
    fix: 'Write a certificate and its key into tls.crt and tls.key: kubectl create secret tls.',
    documented: ['IST0161'],
  },
};
