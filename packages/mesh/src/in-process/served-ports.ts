import { HeddleError, type Layer } from '@heddle/kernel';
import { errorsToCallers } from '@heddle/proxy/layers';
import { fixedKeys, type KeySource, readKeySet } from '@heddle/security';
import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { type AskProvider, guard, type Verdict } from '../authorization/index.ts';
import type { InboundPort, JwtRule, Workload } from '../model/index.ts';
import { workloadPart } from '../plane/model-parts.ts';
import type { PartRefusal } from '../plane/plane-messages.ts';

/** Whose servers they are, and who is asked about callers. */
export interface ServedPortsOptions {
  /** `namespace/name`. */
  readonly workload: string;
  /** The keys of an issuer of tokens whose rule names where they are. */
  readonly remoteKeys: (url: string) => KeySource;
  /** Whoever decides for CUSTOM policies. */
  readonly ask?: AskProvider;
  readonly onVerdict?: (verdict: Verdict, request: HttpRequest) => void;
}

type HttpLayer = Layer<HttpRequest, HttpResponse>;

/** What stands before the servers of a program, kept in step with the rules about its workload. */
export class ServedPorts {
  readonly #options: ServedPortsOptions;
  readonly #keys = new Map<string, KeySource>();
  #workload: Workload | undefined;
  #guards: ReadonlyMap<number, HttpLayer> = new Map();
  /** Counts the changes of the guards, so that a server makes its stack again after each. */
  #version = 0;

  constructor(options: ServedPortsOptions) {
    this.#options = options;
  }

  /** Takes the rules of the workload; where they cannot be, those of before stay. */
  apply(workload: Workload | undefined): readonly PartRefusal[] {
    if (workload === this.#workload) return [];
    try {
      const guards = (workload?.inbound ?? []).map((at) => [at.port, this.#guardOf(workload, at)] as const);
      this.#guards = new Map(guards);
      this.#workload = workload;
      this.#version += 1;
      return [];
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      return [{ part: workloadPart(this.#options.workload), message }];
    }
  }

  /** A layer that is always the one of now. A port that the rules do not know is closed: nobody has said who may come. */
  guard(port: number): HttpLayer {
    return (next) => {
      let made = -1;
      let service: HttpService = next;
      return (req, call) => {
        if (made !== this.#version) {
          const found = this.#guards.get(port);
          service = errorsToCallers((found ?? closed(port))(next));
          made = this.#version;
        }
        return service(req, call);
      };
    };
  }

  #guardOf(workload: Workload | undefined, { port, address, mtls }: InboundPort): HttpLayer {
    const { ask, onVerdict } = this.#options;
    // Now, so that keys that cannot be read refuse the rules and not the callers.
    for (const rule of workload?.jwt ?? []) this.#keysOf(rule);
    return guard({
      policies: workload?.policies ?? [],
      jwt: workload?.jwt ?? [],
      mtls,
      port,
      ip: address,
      keysOf: (rule) => this.#keysOf(rule),
      onVerdict: (verdict, request) => onVerdict?.(verdict, request),
      ...(ask !== undefined && { ask }),
    });
  }

  #keysOf({ jwks, jwksUri = '' }: JwtRule): KeySource {
    const key = jwks ?? jwksUri;
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const made = jwks === undefined ? this.#options.remoteKeys(jwksUri) : fixedKeys(readKeySet(parsed(jwks)));
    this.#keys.set(key, made);
    return made;
  }
}

function closed(port: number): HttpLayer {
  const message = `the rules of the mesh do not know port ${port} of this workload: nobody may come yet`;
  const error = new HeddleError({ code: 'unavailable', reason: 'NO_RULES', message, sent: false });
  return () => () => Promise.reject(error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
