// Long because it is a table: a text with each mistake, and one without it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRoot } from '@heddle/security/identity';
import { analyze } from './analyze.ts';
import { type AnalysisCode, analysisCatalogue } from './catalogue.ts';

const object = (apiVersion: string, kind: string, spec: string, name = 'a', namespace = 'shop'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n---\n`;
const route = (spec: string, name = 'a'): string =>
  object('networking.istio.io/v1', 'VirtualService', spec, name);
const destination = (spec: string, name = 'a', namespace = 'shop'): string =>
  object('networking.istio.io/v1', 'DestinationRule', spec, name, namespace);
const gateway = (spec: string, name = 'a'): string => object('networking.istio.io/v1', 'Gateway', spec, name);
const entry = (spec: string): string => object('networking.istio.io/v1', 'ServiceEntry', spec);
const sidecar = (spec: string, name = 'a', namespace = 'shop'): string =>
  object('networking.istio.io/v1', 'Sidecar', spec, name, namespace);
const peers = (spec: string, namespace = 'shop'): string =>
  object('security.istio.io/v1', 'PeerAuthentication', spec, 'a', namespace);
const policy = (spec: string): string => object('security.istio.io/v1', 'AuthorizationPolicy', spec);
const tokens = (spec: string): string => object('security.istio.io/v1', 'RequestAuthentication', spec);
const telemetry = (spec: string, name = 'a'): string =>
  object('telemetry.istio.io/v1', 'Telemetry', spec, name);
const front = (spec: string, name = 'a', namespace = 'shop'): string =>
  object('gateway.networking.k8s.io/v1', 'Gateway', spec, name, namespace);
const httpRoute = (spec: string): string => object('gateway.networking.k8s.io/v1', 'HTTPRoute', spec);
const service = (spec: string, name = 'web'): string => object('v1', 'Service', spec, name);
const workload = (labels: string, pod = '{}', name = 'web'): string =>
  object('apps/v1', 'Deployment', `{template: {metadata: {labels: ${labels}}, spec: ${pod}}}`, name);

const web =
  service('{selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}') +
  workload('{app: web}', '{serviceAccountName: web, containers: [{ports: [{containerPort: 8080}]}]}');
const two = service('{ports: [{name: http, port: 80}, {name: tcp-x, port: 81}]}');
const to = (rest = ''): string => `{destination: {host: web}${rest}}`;
const allow = (rule: string): string => policy(`{rules: [${rule}]}`);

const claims =
  workload('{app: edge}') +
  gateway(
    '{selector: {app: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}',
  ) +
  route(
    `{hosts: [web], gateways: [a], http: [{match: [{headers: {"@request.auth.claims.group": {exact: a}}}], route: [${to()}]}]}`,
  );
const space = (own: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: ${own}}\n---\n`;
const shopIs = (labels: string): string => space(labels).replace('name: a', 'name: shop');
const podOf = (spec: string, more = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop${more}}\nspec: ${spec}\n---\n`;
const made = ', creationTimestamp: "2026-01-01T00:00:00Z"';
const auto = '{containers: [{name: istio-proxy, image: auto}]}';
const secure = (name: string): string =>
  workload('{app: g}') +
  gateway(
    `{selector: {app: g}, servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: ${name}}}]}`,
  );
const secret = (data: object, namespace = 'shop'): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: ${namespace}}\nstringData: ${JSON.stringify(data)}\n---\n`;
const certificate = makeRoot('a', Date.parse('2026-01-01'), 1_000_000, Buffer.alloc(16, 1));
const pair = { 'tls.crt': certificate.certificates, 'tls.key': certificate.privateKey };
const otherKey = makeRoot('a', 0, 1_000_000, Buffer.alloc(16, 1)).privateKey;
const sniRoute = (first: string, second: string): string =>
  route(
    `{hosts: [web], tls: [{match: [{sniHosts: ${first}}], route: [${to()}]}, {match: [{sniHosts: ${second}}], route: [${to()}]}]}`,
  );

/** By code: a text with the mistake, and the nearest one without it. */
const cases: readonly (readonly [code: AnalysisCode, wrong: string, right: string])[] = [
  [
    'VIRTUAL_SERVICE_WITHOUT_ROUTES',
    route('{hosts: [web]}'),
    web + route(`{hosts: [web], http: [{route: [${to()}]}]}`),
  ],
  [
    'RULE_WITHOUT_ACTION',
    route('{hosts: [web], http: [{timeout: 5s}]}'),
    route('{hosts: [web], http: [{directResponse: {status: 200}}]}'),
  ],
  [
    'DESTINATION_HOST_NOT_FOUND',
    route(`{hosts: [web], http: [{route: [${to()}]}]}`),
    web + route(`{hosts: [web], http: [{route: [${to()}]}]}`),
  ],
  [
    'DESTINATION_HOST_NOT_FOUND',
    web + route(`{hosts: [web], http: [{route: [${to()}], mirror: {host: gone}}]}`),
    web + route(`{hosts: [web], http: [{route: [${to()}], mirror: {host: web.shop.svc.cluster.local}}]}`),
  ],
  [
    'DESTINATION_HOST_NOT_FOUND',
    entry('{hosts: [api.example.com], exportTo: [other], resolution: DNS}') +
      route('{hosts: [x], http: [{route: [{destination: {host: api.example.com}}]}]}'),
    entry('{hosts: ["*.example.com"], resolution: NONE}') +
      route('{hosts: [x], http: [{route: [{destination: {host: api.example.com}}]}]}'),
  ],
  [
    'DESTINATION_PORT_NOT_FOUND',
    web + route('{hosts: [web], http: [{route: [{destination: {host: web, port: {number: 81}}}]}]}'),
    web + route('{hosts: [web], http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}'),
  ],
  [
    'DESTINATION_PORT_NEEDED',
    two + route(`{hosts: [web], gateways: [g], http: [{route: [${to()}]}]}`),
    two + route(`{hosts: [web], http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}`),
  ],
  [
    'GATEWAY_NOT_FOUND',
    route('{hosts: [web], gateways: [other/g]}'),
    route('{hosts: [web], gateways: [mesh]}'),
  ],
  [
    'HOST_NOT_IN_GATEWAY',
    gateway('{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]}') +
      route('{hosts: [shop.example.org], gateways: [a]}'),
    gateway('{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["./*.example.com"]}]}') +
      route('{hosts: [shop.example.com], gateways: [a]}'),
  ],
  [
    'WEIGHTS_SUM',
    route(`{hosts: [web], http: [{route: [${to(', weight: 1')}, {destination: {host: b}, weight: 2}]}]}`),
    route(`{hosts: [web], http: [{route: [${to(', weight: 99')}, {destination: {host: b}, weight: 1}]}]}`),
  ],
  [
    'WEIGHTS_ALL_ZERO',
    route(`{hosts: [web], http: [{route: [${to()}, {destination: {host: b}}]}]}`),
    route(`{hosts: [web], http: [{route: [${to(', weight: 100')}, {destination: {host: b}}]}]}`),
  ],
  [
    'RULE_UNREACHABLE',
    route(
      '{hosts: [web], http: [{redirect: {uri: /}}, {match: [{uri: {prefix: /a}}], redirect: {uri: /b}}]}',
    ),
    route(
      '{hosts: [web], http: [{match: [{uri: {prefix: /a}}], redirect: {uri: /b}}, {redirect: {uri: /}}]}',
    ),
  ],
  [
    'RULE_UNREACHABLE',
    route(
      '{hosts: [web], http: [{match: [{uri: {prefix: /a}}], redirect: {uri: /b}}, {match: [{uri: {exact: /a/b}}], redirect: {uri: /c}}]}',
    ),
    route(
      '{hosts: [web], http: [{match: [{uri: {prefix: /a}, headers: {x: {}}}], redirect: {uri: /b}}, {match: [{uri: {exact: /a/b}}], redirect: {uri: /c}}]}',
    ),
  ],
  [
    'MATCH_INEFFECTIVE',
    route(
      '{hosts: [web], http: [{match: [{uri: {prefix: /a}}, {uri: {exact: /a/b}}], redirect: {uri: /b}}]}',
    ),
    route('{hosts: [web], http: [{match: [{uri: {prefix: /a}}, {uri: {exact: /b}}], redirect: {uri: /b}}]}'),
  ],
  [
    'INVALID_REGEX',
    route('{hosts: [web], http: [{match: [{headers: {x: {regex: "(?!a)b"}}}], redirect: {uri: /}}]}'),
    route(
      '{hosts: [web], http: [{match: [{headers: {x: {regex: "(?i)(?P<n>a)\\\\-b"}}}], redirect: {uri: /}}]}',
    ),
  ],
  [
    'INVALID_REGEX',
    route('{hosts: [web], http: [{match: [{uri: {regex: "("}}], redirect: {uri: /}}]}'),
    route('{hosts: [web], http: [{match: [{uri: {regex: "a+.*"}}], redirect: {uri: /}}]}'),
  ],
  [
    'DELEGATE_NOT_FOUND',
    route('{hosts: [web], http: [{delegate: {name: b}}]}'),
    route('{hosts: [web], http: [{delegate: {name: b}}]}') + route('{http: []}', 'b'),
  ],
  [
    'FAULT_SHARE_SMALL',
    route('{hosts: [web], http: [{fault: {delay: {fixedDelay: 5s, percentage: {value: 0.1}}}}]}'),
    route('{hosts: [web], http: [{fault: {delay: {fixedDelay: 5s, percentage: {value: 10}}}}]}'),
  ],
  [
    'SUBSET_WITHOUT_LABELS',
    destination('{host: web, subsets: [{name: v1}]}'),
    destination('{host: web, subsets: [{name: v1, labels: {a: b}}]}'),
  ],
  [
    'SUBSET_SELECTS_NOTHING',
    web + destination('{host: web, subsets: [{name: v1, labels: {version: v1}}]}'),
    web + destination('{host: web, subsets: [{name: v1, labels: {app: web}}]}'),
  ],
  [
    'DESTINATION_RULE_DUPLICATE',
    destination('{host: web, subsets: [{name: v1}]}') +
      destination('{host: web.shop.svc.cluster.local, subsets: [{name: v1}]}', 'b'),
    destination('{host: web, subsets: [{name: v1}]}') +
      destination('{host: web, subsets: [{name: v2}]}', 'b'),
  ],
  [
    'TLS_NOT_VERIFIED',
    destination('{host: web, trafficPolicy: {tls: {mode: SIMPLE}}}'),
    destination('{host: web, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /ca.pem}}}'),
  ],
  [
    'PORT_TLS_NOT_VERIFIED',
    destination(
      '{host: web, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]}}',
    ),
    destination(
      '{host: web, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE, credentialName: c}}]}, workloadSelector: {matchLabels: {app: web}}}',
    ),
  ],
  [
    'MTLS_CONFLICT',
    web + peers('{mtls: {mode: STRICT}}') + destination('{host: web, trafficPolicy: {tls: {mode: DISABLE}}}'),
    web +
      peers('{mtls: {mode: STRICT}}') +
      destination('{host: web, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}'),
  ],
  [
    'MTLS_CONFLICT',
    web +
      peers('{mtls: {mode: DISABLE}}') +
      destination('{host: web, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}'),
    web + destination('{host: web, trafficPolicy: {tls: {mode: DISABLE}}}'),
  ],
  [
    'PORT_MTLS_WITHOUT_SELECTOR',
    peers('{portLevelMtls: {80: {mode: DISABLE}}}'),
    web + peers('{selector: {matchLabels: {app: web}}, portLevelMtls: {8080: {mode: DISABLE}}}'),
  ],
  [
    'PORT_MTLS_UNKNOWN_PORT',
    web + peers('{selector: {matchLabels: {app: web}}, portLevelMtls: {80: {mode: DISABLE}}}'),
    web + peers('{selector: {matchLabels: {app: web}}, portLevelMtls: {8080: {mode: DISABLE}}}'),
  ],
  [
    'GATEWAY_PORT_NOT_SERVED',
    web +
      gateway(
        '{selector: {app: web}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"]}]}',
      ),
    web +
      gateway(
        '{selector: {app: web}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}',
      ),
  ],
  [
    'GATEWAY_CERTIFICATE_DUPLICATE',
    gateway(
      '{selector: {app: g}, servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}]}',
    ) +
      gateway(
        '{selector: {app: g}, servers: [{port: {number: 443, name: b, protocol: HTTPS}, hosts: [b.example], tls: {mode: SIMPLE, credentialName: c}}]}',
        'b',
      ),
    gateway(
      '{selector: {app: g}, servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}]}',
    ) +
      gateway(
        '{selector: {app: g}, servers: [{port: {number: 443, name: b, protocol: HTTPS}, hosts: [b.example], tls: {mode: SIMPLE, credentialName: d}}]}',
        'b',
      ),
  ],
  [
    'ROUTE_NOT_ALLOWED',
    front('{gatewayClassName: x, listeners: [{name: l, port: 80, protocol: HTTP}]}', 'g', 'infra') +
      httpRoute('{parentRefs: [{name: g, namespace: infra}]}'),
    front(
      '{gatewayClassName: x, listeners: [{name: l, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}',
      'g',
      'infra',
    ) + httpRoute('{parentRefs: [{name: g, namespace: infra}]}'),
  ],
  [
    'REFERENCE_NOT_GRANTED',
    object('v1', 'Service', '{ports: [{name: http, port: 80}]}', 'b', 'other') +
      httpRoute('{rules: [{backendRefs: [{name: b, namespace: other, port: 80}]}]}'),
    object('v1', 'Service', '{ports: [{name: http, port: 80}]}', 'b', 'other') +
      object(
        'gateway.networking.k8s.io/v1',
        'ReferenceGrant',
        '{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}',
        'r',
        'other',
      ) +
      httpRoute('{rules: [{backendRefs: [{name: b, namespace: other, port: 80}]}]}'),
  ],
  [
    'SERVICE_ENTRY_ADDRESSES_NEEDED',
    entry('{hosts: [db.example], resolution: NONE, ports: [{number: 5432, name: tcp, protocol: TCP}]}'),
    entry(
      '{hosts: [db.example], addresses: [10.0.0.1], resolution: NONE, ports: [{number: 5432, name: tcp, protocol: TCP}]}',
    ),
  ],
  [
    'SERVICE_ENTRY_OF_SERVICE',
    web + entry('{hosts: [web.shop.svc.cluster.local], resolution: DNS}'),
    web + entry('{hosts: [legacy.shop.svc.cluster.local], resolution: DNS}'),
  ],
  [
    'SERVICE_ENTRY_ENDPOINTS',
    entry('{hosts: [x.example], resolution: STATIC}'),
    entry('{hosts: [x.example], resolution: STATIC, endpoints: [{address: 10.0.0.1}]}'),
  ],
  [
    'SERVICE_ENTRY_ENDPOINTS',
    entry('{hosts: [x.example], resolution: STATIC, endpoints: [{address: a.example}]}'),
    entry('{hosts: [x.example], resolution: DNS, endpoints: [{address: a.example}]}'),
  ],
  ['SIDECAR_DUPLICATE', sidecar('{}') + sidecar('{}', 'b'), sidecar('{}') + sidecar('{}', 'b', 'other')],
  [
    'SIDECAR_CONFLICT',
    sidecar('{workloadSelector: {labels: {app: web}}}') +
      sidecar('{workloadSelector: {labels: {app: web}}}', 'b'),
    sidecar('{workloadSelector: {labels: {app: web}}}') +
      sidecar('{workloadSelector: {labels: {app: api}}}', 'b'),
  ],
  ['EGRESS_HOST_FORM', sidecar('{egress: [{hosts: [web]}]}'), sidecar('{egress: [{hosts: ["./*", "~/*"]}]}')],
  [
    'TELEMETRY_DUPLICATE',
    telemetry('{}') + telemetry('{}', 'b'),
    telemetry('{}') + telemetry('{selector: {matchLabels: {app: web}}}', 'b'),
  ],
  [
    'TELEMETRY_CONFLICT',
    telemetry('{selector: {matchLabels: {app: web}}}') +
      telemetry('{selector: {matchLabels: {app: web}}}', 'b'),
    telemetry('{selector: {matchLabels: {app: web}}}') +
      telemetry('{selector: {matchLabels: {app: api}}}', 'b'),
  ],
  [
    'TARGET_NOT_FOUND',
    policy('{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}], rules: [{}]}'),
    front('{gatewayClassName: x, listeners: []}', 'g') +
      policy('{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}], rules: [{}]}'),
  ],
  [
    'NEEDS_MTLS',
    allow('{from: [{source: {principals: ["*"]}}]}'),
    peers('{mtls: {mode: STRICT}}') + allow('{from: [{source: {principals: ["*"]}}]}'),
  ],
  [
    'NEEDS_MTLS_BUT_DISABLED',
    peers('{mtls: {mode: DISABLE}}') + allow('{from: [{source: {principals: ["*"]}}]}'),
    peers('{mtls: {mode: PERMISSIVE}}') + allow('{from: [{source: {principals: ["*"]}}]}'),
  ],
  [
    'SERVICE_ACCOUNT_NOT_FOUND',
    web + allow('{from: [{source: {serviceAccounts: [webb]}}]}'),
    web + allow('{from: [{source: {serviceAccounts: [web], principals: ["*"]}}]}'),
  ],
  [
    'RULES_ARE_ALTERNATIVES',
    policy(
      '{rules: [{from: [{source: {principals: [a]}}]}, {to: [{operation: {methods: [GET]}}]}, {when: [{key: source.ip, values: [10.0.0.0/8]}]}]}',
    ),
    policy(
      '{rules: [{from: [{source: {principals: [a]}}], to: [{operation: {methods: [GET]}}]}, {to: [{operation: {methods: [HEAD]}}]}]}',
    ),
  ],
  [
    'NOT_EMPTY_MATCHES_ALL',
    allow('{when: [{key: "request.headers[x]", notValues: [""]}]}'),
    allow('{when: [{key: "request.headers[x]", values: ["*"], notValues: [""]}]}'),
  ],
  ['LOCKS_EVERYONE_OUT', policy('{}'), policy('{rules: [{}]}')],
  [
    'LOCKS_EVERYONE_OUT',
    policy('{action: DENY, rules: [{}]}'),
    policy('{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}'),
  ],
  [
    'NEVER_MATCHES',
    allow('{to: [{operation: {paths: ["/a"], notPaths: ["/a", "/b"]}}]}'),
    allow('{to: [{operation: {paths: ["/a", "/c"], notPaths: ["/a", "/b"]}}]}'),
  ],
  ['POLICY_WITHOUT_EFFECT', policy('{action: DENY}'), policy('{action: DENY, rules: [{}]}')],
  [
    'NEEDS_REQUEST_AUTHENTICATION',
    allow('{from: [{source: {requestPrincipals: ["*"]}}]}'),
    tokens('{jwtRules: [{issuer: i, jwks: k}]}') + allow('{from: [{source: {requestPrincipals: ["*"]}}]}'),
  ],
  [
    'UNKNOWN_CONDITION',
    allow('{when: [{key: request.mood, values: [a]}]}'),
    allow('{when: [{key: "request.auth.claims[a][b]", values: [a]}]}'),
  ],
  [
    'CONDITION_WITHOUT_VALUES',
    allow('{when: [{key: source.ip}]}'),
    allow('{when: [{key: source.ip, notValues: [10.0.0.1]}]}'),
  ],
  [
    'PROVIDER_MISPLACED',
    policy('{action: CUSTOM, rules: [{}]}'),
    policy('{action: CUSTOM, provider: {name: opa}, rules: [{}]}'),
  ],
  [
    'INVALID_ADDRESS',
    allow('{from: [{source: {ipBlocks: [10.0.0.0/33]}}]}'),
    allow('{from: [{source: {ipBlocks: ["2001:db8::/32"]}}]}'),
  ],
  [
    'INVALID_PORT',
    allow('{to: [{operation: {ports: ["http"]}}]}'),
    allow('{to: [{operation: {ports: ["8080"]}}]}'),
  ],
  [
    'INVALID_PATH_TEMPLATE',
    allow('{to: [{operation: {paths: ["/{**}/a/{*}"]}}]}'),
    allow('{to: [{operation: {paths: ["/{*}/a/{**}"]}}]}'),
  ],
  [
    'HTTP_ON_TCP_PORT',
    two + allow('{to: [{operation: {methods: [GET], ports: ["81"]}}]}'),
    two + allow('{to: [{operation: {methods: [GET], ports: ["80"]}}]}'),
  ],
  [
    'JWT_RULE_INVALID',
    tokens('{jwtRules: [{jwks: k}]}'),
    tokens('{jwtRules: [{issuer: i, jwksUri: "https://i/k"}]}'),
  ],
  ['PORT_NAME', service('{ports: [{port: 80}]}'), service('{ports: [{port: 80, appProtocol: http}]}')],
  [
    'SERVICE_PORT_DIFFERS',
    web,
    web.replace('targetPort: 8080', 'targetPort: 80').replace('containerPort: 8080', 'containerPort: 80'),
  ],
  ['SERVICE_SELECTS_NOTHING', service('{selector: {app: webb}, ports: []}'), web],
  [
    'WORKLOAD_IN_SEVERAL_SERVICES',
    web + service('{selector: {app: web}, ports: [{name: grpc, port: 80, targetPort: 8080}]}', 'b'),
    web + service('{selector: {app: web}, ports: [{name: http-x, port: 80, targetPort: 8080}]}', 'b'),
  ],
  [
    'EXPORT_NAMESPACE_NOT_FOUND',
    web + route(`{hosts: [web], exportTo: [gone], http: [{route: [${to()}]}]}`),
    web + route(`{hosts: [web], exportTo: [., shop, "*"], http: [{route: [${to()}]}]}`),
  ],
  [
    'RULES_NOT_TAKEN_AT_GATEWAY',
    route(`{hosts: [web], http: [{route: [{destination: {host: web, subset: v1}}]}]}`, 'b') +
      route(`{hosts: [web.example.com], gateways: [g], http: [{route: [${to()}]}]}`),
    route(`{hosts: [web], http: [{route: [{destination: {host: web, subset: v1}}]}]}`, 'b') +
      route(`{hosts: [other], gateways: [g], http: [{route: [{destination: {host: other}}]}]}`),
  ],
  [
    'GATEWAY_OF_KUBERNETES',
    route(`{hosts: [web], gateways: [shop/g~istio-autogenerated-k8s-gateway~http]}`),
    route(`{hosts: [web], gateways: [shop/g]}`),
  ],
  [
    'CLAIMS_WITHOUT_AUTHENTICATION',
    claims,
    claims +
      tokens('{selector: {matchLabels: {app: edge}}, jwtRules: [{issuer: a, jwksUri: "https://a/k"}]}'),
  ],
  [
    'SERVICE_ENTRY_PROTOCOLS',
    entry('{hosts: [a.example], ports: [{number: 80, name: http, protocol: HTTP}]}') +
      entry('{hosts: [a.example], ports: [{number: 80, name: tls, protocol: TLS}]}').replace(
        'name: a,',
        'name: b,',
      ),
    entry('{hosts: [a.example], ports: [{number: 80, name: http, protocol: HTTP}]}') +
      entry('{hosts: [b.example], ports: [{number: 80, name: tls, protocol: TLS}]}').replace(
        'name: a,',
        'name: b,',
      ),
  ],
  [
    'SELECTOR_OF_KUBERNETES_GATEWAY',
    workload('{app: edge, gateway.networking.k8s.io/gateway-name: edge}') +
      policy('{selector: {matchLabels: {app: edge}}, rules: [{}]}'),
    workload('{app: edge, gateway.networking.k8s.io/gateway-name: edge}') +
      policy('{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}], rules: [{}]}'),
  ],
  [
    'EXTERNAL_NAME_PORT',
    service('{type: ExternalName, externalName: a.example, ports: [{name: tcp, port: 80}]}'),
    service('{type: ExternalName, externalName: a.example, ports: [{name: http, port: 80}]}'),
  ],
  [
    'WORKLOAD_PORT_IN_SEVERAL_SERVICES',
    workload('{app: web}') +
      service('{selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}') +
      service('{selector: {app: web}, ports: [{name: http, port: 81, targetPort: 8080}]}', 'web2'),
    workload('{app: web}') +
      service('{selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}') +
      service('{selector: {app: web}, ports: [{name: http, port: 81, targetPort: 8081}]}', 'web2'),
  ],
  [
    'APPLICATION_AS_PROXY_USER',
    workload('{app: web}', '{containers: [{name: web, securityContext: {runAsUser: 1337}}]}'),
    workload('{app: web}', '{containers: [{name: istio-proxy, securityContext: {runAsUser: 1337}}]}'),
  ],
  [
    'INJECTION_LABELS_CONFLICT',
    space('{istio-injection: enabled, istio.io/rev: canary}'),
    space('{istio-injection: disabled, istio.io/rev: canary}'),
  ],
  [
    'RULE_UNREACHABLE',
    route(
      `{hosts: [web], tcp: [{match: [{port: 80}], route: [${to()}]}, {match: [{port: 80}], route: [${to()}]}]}`,
    ),
    route(
      `{hosts: [web], tcp: [{match: [{port: 80}], route: [${to()}]}, {match: [{port: 81}], route: [${to()}]}]}`,
    ),
  ],
  [
    'RULE_UNREACHABLE',
    sniRoute('["*.a.example"]', '[b.a.example]'),
    sniRoute('[b.a.example]', '["*.a.example"]'),
  ],
  [
    'HOST_NOT_IN_GATEWAY',
    gateway('{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["other/*"]}]}') +
      route('{hosts: [shop.example.com], gateways: [a]}'),
    gateway('{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*"]}]}') +
      route('{hosts: [shop.example.com], gateways: [a]}'),
  ],
  [
    'VIRTUAL_SERVICE_HOST_DUPLICATE',
    route('{hosts: [web], exportTo: [., other]}') + route('{hosts: [web], exportTo: ["*"]}', 'b'),
    route('{hosts: [web], exportTo: [.]}') + route('{hosts: [web], exportTo: [other]}', 'b'),
  ],
  ['NAMESPACE_NOT_INJECTED', space('{team: a}'), space('{istio-injection: disabled}')],
  ['NAMESPACE_NOT_INJECTED', space('{}'), space('{}').replace('name: a', 'name: kube-system')],
  ['NAMESPACE_NOT_INJECTED', space('{}'), space('{istio.io/dataplane-mode: ambient}')],
  [
    'POD_WITHOUT_SIDECAR',
    shopIs('{istio-injection: enabled}') + podOf('{containers: [{name: app}]}', made),
    shopIs('{istio-injection: enabled}') + podOf('{containers: [{name: app}]}'),
  ],
  [
    'POD_WITHOUT_SIDECAR',
    shopIs('{istio.io/rev: stable}') + podOf('{containers: [{name: app}]}', made),
    shopIs('{istio.io/rev: stable}') +
      podOf('{containers: [{name: app}], initContainers: [{name: heddle-sidecar}]}', made),
  ],
  [
    'POD_WITHOUT_SIDECAR',
    podOf('{containers: [{name: app}]}', `${made}, labels: {sidecar.istio.io/inject: "true"}`),
    shopIs('{istio-injection: enabled}') +
      podOf('{containers: [{name: app}]}', `${made}, labels: {sidecar.istio.io/inject: "false"}`),
  ],
  [
    'POD_WITHOUT_SIDECAR',
    shopIs('{istio-injection: enabled}') + podOf('{containers: []}', made),
    shopIs('{istio-injection: enabled}') + podOf('{hostNetwork: true, containers: []}', made),
  ],
  [
    'IMAGE_AUTO_NOT_INJECTED',
    workload('{app: g}', auto),
    workload('{app: g, sidecar.istio.io/inject: "true"}', auto),
  ],
  ['IMAGE_AUTO_NOT_INJECTED', podOf(auto), shopIs('{istio-injection: enabled}') + podOf(auto)],
  [
    'SIDECAR_IN_AMBIENT',
    shopIs('{istio.io/dataplane-mode: ambient}') + sidecar('{}'),
    shopIs('{}') + sidecar('{}'),
  ],
  [
    'TELEMETRY_WITHOUT_PROVIDER',
    telemetry('{accessLogging: [{disabled: false}]}'),
    telemetry('{accessLogging: [{providers: [{name: envoy}]}]}'),
  ],
  ['GATEWAY_SECRET_NOT_FOUND', secure('c') + secret(pair, 'other'), secure('c') + secret(pair)],
  ['GATEWAY_SECRET_NOT_FOUND', secure('c'), secure('"sds://c"')],
  ['GATEWAY_SECRET_INVALID', secure('c') + secret({}), secure('c') + secret(pair)],
  [
    'GATEWAY_SECRET_INVALID',
    secure('c') + secret({ ...pair, 'tls.key': otherKey }),
    secure('c') + secret({ cert: pair['tls.crt'], key: pair['tls.key'] }),
  ],
  [
    'GATEWAY_SECRET_INVALID',
    secure('c') + secret({ ...pair, 'tls.crt': 'nothing' }),
    // Nobody asks for it.
    secure('d') + secret({}),
  ],
];

/** Codes that the documented examples show, in documented.test.ts. */
const documented: readonly AnalysisCode[] = [
  'VIRTUAL_SERVICE_HOST_DUPLICATE',
  'SUBSET_NOT_FOUND',
  'GATEWAY_NAME_FORM',
  'WEIGHT_OF_ONE',
  'DESTINATION_DUPLICATE',
  'DESTINATION_RULE_HOST_NOT_FOUND',
  'TLS_OVERRIDDEN',
  'PEER_AUTHENTICATION_OF_MESH_MISSING',
  'PEER_AUTHENTICATION_OF_NAMESPACE_MISSING',
  'MTLS_NAMESPACE_STRICT',
  'MTLS_MESH_STRICT',
  'DESTINATION_RULE_OF_MESH_MISSING',
  'DESTINATION_RULE_OF_NAMESPACE_MISSING',
  'MTLS_NAMESPACE_DISABLED',
  'MTLS_MESH_DISABLED',
  'GATEWAY_HOST_DUPLICATE',
  'GATEWAY_SELECTS_NOTHING',
  'KUBERNETES_GATEWAY_HOST_DUPLICATE',
  'KUBERNETES_GATEWAY_ADDRESS_DUPLICATE',
  'LISTENER_DUPLICATE',
  'ROUTE_GATEWAY_NOT_FOUND',
  'ROUTE_BACKEND_NOT_FOUND',
  'SERVICE_ENTRY_ADDRESS_MISSING',
  'SIDECAR_HOST_NOT_FOUND',
  'SIDECAR_OF_MESH_WITH_SELECTOR',
  'POLICY_DUPLICATE',
  'POLICY_CONFLICT',
  'POLICY_SELECTS_NOTHING',
  'NAMESPACE_NOT_FOUND',
  'METHOD_NOT_VALID',
  'POLICY_HOST_NOT_FOUND',
  'APP_PROTOCOL',
  'SERVICE_PORT_NOT_EXPOSED',
];

describe('each finding', () => {
  for (const [code, wrong, right] of cases) {
    test(code, () => {
      assert.ok(codesOf(wrong).includes(code), `${code} is not among ${codesOf(wrong).join(', ')}`);
      assert.equal(codesOf(right).includes(code), false, `${code} of what is right`);
    });
  }
  test('no code is without an example', () => {
    const shown = new Set([...cases.map(([code]) => code), ...documented]);
    assert.deepEqual(
      Object.keys(analysisCatalogue).filter((code) => !shown.has(code as AnalysisCode)),
      [],
    );
  });
});

test('a pod with the image "auto" cannot start, what makes pods can still be labelled', () => {
  const severityOf = (text: string): string | undefined =>
    analyze([{ file: 'a.yaml', text }]).findings.find(({ code }) => code === 'IMAGE_AUTO_NOT_INJECTED')
      ?.severity;
  assert.deepEqual([severityOf(podOf(auto)), severityOf(workload('{app: g}', auto))], ['error', 'warning']);
});

test('what is wrong with a secret is told without what is in it', () => {
  const text = secure('c') + secret({ 'tls.crt': 'a-certificate', 'tls.key': 'a-secret' });
  const told = JSON.stringify(analyze([{ file: 'a.yaml', text }]).findings);
  assert.match(told, /has a certificate that cannot be read/);
  assert.ok(!told.includes('a-secret') && !told.includes('a-certificate'));
});

test('a part of a mesh has no findings about what is not in it', () => {
  const text = route(
    `{hosts: [web], http: [{route: [${to(', weight: 0')}, {destination: {host: b}, weight: 0}]}]}`,
  );
  const found = analyze([{ file: 'a.yaml', text }], { partial: true }).findings.map(({ code }) => code);
  assert.deepEqual(found, ['WEIGHTS_ALL_ZERO']);
});

test('findings come in the order of the files and lines, with what to do', () => {
  const { findings, objects, others } = analyze([
    { file: 'z.yaml', text: policy('{}') },
    {
      file: 'a.yaml',
      text: `${policy('{rules: [{to: [{operation: {ports: [http]}}]}]}').replace('name: a', 'name: b')}apiVersion: v1\nkind: ConfigMap\n`,
    },
  ]);
  assert.deepEqual(
    findings.map(({ file, line, code }) => `${file}:${line} ${code}`),
    ['z.yaml:4 LOCKS_EVERYONE_OUT', 'a.yaml:4 INVALID_PORT'],
  );
  assert.deepEqual([objects, others], [2, 1]);
  const [first] = findings;
  assert.deepEqual(first?.object, { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a' });
  assert.ok(first.explanation !== '' && first.fix !== '');
});

function codesOf(text: string): readonly string[] {
  const { findings } = analyze([{ file: 'a.yaml', text }]);
  const broken = findings.filter(({ code }) =>
    ['SYNTAX', 'UNKNOWN_FIELD', 'WRONG_VALUE', 'MISSING_FIELD'].includes(code),
  );
  assert.deepEqual(
    broken.map(({ line, message }) => `${line} ${message}`),
    [],
    text,
  );
  return findings.map(({ code }) => code);
}
