import type { Layer, Runtime } from '@heddle/kernel';
import { guard, policiesFor, tokenRulesFor } from '@heddle/mesh/authorization';
import type { JwtRule } from '@heddle/mesh/model';
import { loadResources } from '@heddle/mesh/resources';
import {
  addressOf,
  arrivedAt,
  type CheckPolicies,
  type ConfigProblem,
  fetchText,
  type GatewayConfig,
  type PolicyResource,
} from '@heddle/proxy';
import { fixedKeys, type KeySource, readKeySet, RemoteKeys } from '@heddle/security';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';

const kinds: ReadonlySet<string> = new Set(['AuthorizationPolicy', 'RequestAuthentication']);

/** What is wrong with the policies of some files, in the words of the mesh. What it only advises against is no mistake. */
export const checkPolicies: CheckPolicies = (files) => {
  const { findings, resources } = loadResources(
    files.map(({ source, content }) => ({ file: source, text: content })),
  );
  const mistakes = findings
    .filter(({ object, severity }) => severity === 'error' && object !== undefined && kinds.has(object.kind))
    .map(({ file, line, column, object, field, message }): ConfigProblem => {
      const at = `${object?.kind} ${object?.namespace}/${object?.name} ${field}`;
      return { source: file, line, column, at, message };
    });
  const asked = resources.flatMap((each): ConfigProblem[] => {
    if (each.type !== 'AuthorizationPolicy' || each.spec.action !== 'CUSTOM') return [];
    const { kind, metadata, file } = each;
    const at = `${kind} ${metadata.namespace}/${metadata.name}`;
    const message = 'the action CUSTOM has nobody to ask here: expected "decide" of a route instead';
    return [{ source: file, ...each.at(['spec', 'action']), at, message }];
  });
  return [...mistakes, ...asked];
};

/** Enforces policies of Istio at a gateway, as the mesh's sidecars do. Keys that were fetched are kept over versions. */
export class MeshPolicies {
  readonly #runtime: Runtime;
  readonly #keys = new Map<string, KeySource>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Whom a policy is for has been said by giving it to this gateway: selectors and targets are not compared. Throws where an
   * issuer's own key set cannot be read.
   */
  layer(written: readonly PolicyResource[], { listen }: GatewayConfig): Layer<HttpRequest, HttpResponse> {
    const texts = written.map((each) => ({ file: '', text: JSON.stringify(forAll(each)) }));
    const { resources } = loadResources(texts);
    const namespaces = [...new Set(resources.map(({ metadata }) => metadata.namespace))];
    const all = namespaces.map((namespace) => ({
      subject: { namespace, labels: {} },
      own: resources.filter(({ metadata }) => metadata.namespace === namespace),
    }));
    const policies = all.flatMap(({ own, subject }) => policiesFor(own, subject));
    const jwt = all.flatMap(({ own, subject }) => tokenRulesFor(own, subject));
    for (const rule of jwt) this.#keysOf(rule);
    const at = (port: number): Layer<HttpRequest, HttpResponse> =>
      guard({
        policies,
        jwt,
        mtls: 'permissive',
        port,
        keysOf: (rule) => this.#keysOf(rule),
        clientAddress: addressOf,
        onVerdict: ({ audited, dryRun, allowed }, { path }) => {
          const { log } = this.#runtime;
          if (audited.length > 0) log('info', 'audited by policy', { audited: audited.join(' '), path });
          if (dryRun !== undefined && dryRun.allowed !== allowed)
            log('info', 'a policy in dry run would decide otherwise', { policy: dryRun.policy, path });
        },
      });
    return (next) => {
      const byPort = new Map<number, HttpService>();
      return (req, call) => {
        const port = call.get(arrivedAt) ?? listen.port;
        let service = byPort.get(port);
        if (service === undefined) byPort.set(port, (service = at(port)(next)));
        return service(req, call);
      };
    };
  }

  #keysOf({ issuer, jwks, jwksUri = '' }: JwtRule): KeySource {
    const key = jwks ?? jwksUri;
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const runtime = this.#runtime;
    const made =
      jwks === undefined
        ? new RemoteKeys({
            clock: runtime.clock,
            fetch: () => fetchText(jwksUri, runtime),
            onFailure: (error) =>
              runtime.log('error', 'the keys of an issuer cannot be had', { issuer, error }),
          })
        : fixedKeys(readKeySet(JSON.parse(jwks)));
    this.#keys.set(key, made);
    return made;
  }
}

function forAll(written: PolicyResource): PolicyResource {
  const { selector: _, targetRefs: __, ...spec } = (written['spec'] ?? {}) as PolicyResource;
  return { ...written, spec };
}
