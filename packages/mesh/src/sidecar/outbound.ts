import { HeddleError } from '@heddle/kernel';
import { hostOf } from '@heddle/proxy/layers';
import { nameEndpoint } from '@heddle/telemetry';
import type { HttpService } from '@heddle/wire';
import type { RouteRule, ServiceListener } from '../model/index.ts';
import { servicePart } from '../plane/model-parts.ts';
import type { PartRefusal } from '../plane/plane-messages.ts';
import { type OutboundSurroundings, ruleService } from './outbound-stack.ts';
import { AskedRequest, type RequestTest, ruleTest } from './rule-test.ts';

/** A rule for one of its matches, ready. */
interface ReadyRule {
  readonly name: string;
  readonly test: RequestTest | undefined;
  readonly service: HttpService;
}

/** A service's port with its rules, ready. */
export interface ReadyService {
  readonly listener: ServiceListener;
  readonly service: HttpService;
}

/** The services of a model with their rules, kept in step with it: those that have not changed are not made again. */
export class OutboundServices {
  readonly #surroundings: OutboundSurroundings;
  #ready = new Map<string, ReadyService>();

  constructor(surroundings: OutboundSurroundings) {
    this.#surroundings = surroundings;
  }

  /** As the rules say, but for services that are refused: those go on as they were, or are not there. */
  apply(services: readonly ServiceListener[]): readonly PartRefusal[] {
    const refused: PartRefusal[] = [];
    const next = new Map<string, ReadyService>();
    for (const listener of services) {
      const part = servicePart(listener);
      const before = this.#ready.get(part);
      if (before?.listener === listener) next.set(part, before);
      else {
        try {
          next.set(part, { listener, service: serviceOf(listener, this.#surroundings) });
        } catch (thrown) {
          refused.push({ part, message: HeddleError.from(thrown).message });
          if (before !== undefined) next.set(part, before);
        }
      }
    }
    this.#ready = next;
    return refused;
  }

  /** All that are ready. */
  get all(): readonly ReadyService[] {
    return [...this.#ready.values()];
  }
}

function serviceOf(listener: ServiceListener, surroundings: OutboundSurroundings): HttpService {
  // Bytes have no rules.
  if (listener.protocol === 'tcp') return () => Promise.reject(noRule(''));
  const ready = listener.rules.flatMap((rule) => readyRules(rule, surroundings));
  const [first] = ready;
  if (first !== undefined && first.test === undefined) {
    return (req, call) => {
      nameEndpoint(call, first.name);
      return first.service(req, call);
    };
  }
  return (req, call) => {
    const asked = new AskedRequest(req);
    const found = ready.find(({ test }) => test === undefined || test(asked));
    if (found === undefined) return Promise.reject(noRule(asked.path));
    nameEndpoint(call, found.name);
    return found.service(req, call);
  };
}

function readyRules(rule: RouteRule, surroundings: OutboundSurroundings): ReadyRule[] {
  const { name, matches } = rule;
  if (matches.length === 0)
    return [{ name, test: undefined, service: ruleService(rule, undefined, surroundings) }];
  return matches.map((match) => ({
    name,
    test: ruleTest(match),
    service: ruleService(rule, match, surroundings),
  }));
}

/**
 * The services at a place. At one that is shared they are told apart by the name that is asked for; an address of its own
 * is whom a caller means, whatever name it has found it by. Default: one that the rules give an address is not shared.
 */
export function byName(
  services: readonly ReadyService[],
  isShared: boolean = services[0]?.listener.address === undefined,
): HttpService {
  const [only] = services;
  if (services.length === 1 && only !== undefined && !isShared) return only.service;
  const named = new Map<string, HttpService>();
  const wild: (readonly [string, HttpService])[] = [];
  for (const { listener, service } of services) {
    for (const name of [listener.host, ...listener.aliases]) {
      if (name.startsWith('*.')) wild.push([name.slice(1), service]);
      else if (!named.has(name)) named.set(name, service);
    }
  }
  return (req, call) => {
    const host = hostOf(req.authority);
    const service = named.get(host) ?? wild.find(([end]) => host.endsWith(end))?.[1];
    return service === undefined ? Promise.reject(noSuchHost(host)) : service(req, call);
  };
}

function noRule(path: string): HeddleError {
  const message = `no rule of the mesh is for ${path.slice(0, 200)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_ROUTE', message, sent: false });
}

function noSuchHost(host: string): HeddleError {
  const message = `the mesh has no service ${host.slice(0, 200)} at this port`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SERVICE', message, sent: false });
}
