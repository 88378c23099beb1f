import { type Call, type CallKey, callKey, HeddleError, type Service } from '@heddle/kernel';
import { type RateAsk, type RateDecision, rateLimit, type RateRule, type RateVerdict } from '@heddle/traffic';
import {
  emptyBody,
  fewMessagesOf,
  Fields,
  frame,
  type HttpRequest,
  type HttpService,
  wholeBody,
  writeGrpcStatus,
} from '@heddle/wire';
import type { LimitMetrics } from '../limit-metrics.ts';
import type { LimitStore } from '../limit-store.ts';
import {
  type Descriptor,
  type DescriptorStatus,
  type RateLimitQuestion,
  readQuestion,
  writeAnswer,
} from './messages.ts';
import type { ServedLimit } from './service-schema.ts';

const mostBytes = 65_536;

const verdictOf: CallKey<RateVerdict | undefined> = callKey<RateVerdict | undefined>(
  'rate-verdict',
  undefined,
);

/**
 * Envoy's rate limit service (`envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit`), so that Envoys count with the
 * gateways, in the same store. A request is admitted by all the limits that its descriptors have, or it takes nothing of any.
 */
export function rateLimitService(
  limits: readonly ServedLimit[],
  route: string,
  { store, local, onFailure, timeoutMs }: LimitStore,
  metrics: LimitMetrics,
): HttpService {
  const admit = rateLimit<Asked, undefined>({
    store,
    limits: ({ asks }) => asks,
    local,
    onStoreFailure: onFailure,
    storeTimeoutMs: timeoutMs,
    onVerdict: (call, verdict, failed) => {
      call.set(verdictOf, verdict);
      metrics.judged(route, verdict, onFailure, failed);
    },
  })(async () => undefined);
  return async (request, call) => {
    const fields = Fields.of({ 'content-type': 'application/grpc' });
    try {
      const asked = askedOf(limits, readQuestion(await messageOf(request)));
      const body = wholeBody(
        frame(await answerOf(asked, admit, call)),
        writeGrpcStatus(undefined, new Fields()),
      );
      return { status: 200, fields, body };
    } catch (thrown) {
      request.body.cancel();
      return { status: 200, fields: writeGrpcStatus(HeddleError.from(thrown), fields), body: emptyBody };
    }
  };
}

async function messageOf({ body, method, fields }: HttpRequest): Promise<Uint8Array> {
  const isGrpc = method === 'POST' && fields.get('content-type')?.startsWith('application/grpc') === true;
  const [bytes, more] = await fewMessagesOf(body, { limitBytes: mostBytes, compression: undefined }, 1);
  if (isGrpc && bytes !== undefined && more === undefined) return bytes;
  const message = 'expected a unary call of gRPC: POST, application/grpc, one message that is not compressed';
  throw new HeddleError({ code: 'invalid_argument', reason: 'NOT_UNARY', message, sent: false });
}

/** A question, and the limits that it is about. */
interface Asked {
  readonly asks: readonly RateAsk[];
  /** By descriptor: which of the asks is its own. */
  readonly places: readonly (
    | { readonly ask: number; readonly rule: RateRule; readonly name: string }
    | undefined
  )[];
}

function askedOf(limits: readonly ServedLimit[], { domain, descriptors, hits }: RateLimitQuestion): Asked {
  const asks: RateAsk[] = [];
  const places = descriptors.map((descriptor) => {
    const rule = ruleFor(limits, domain, descriptor);
    if (rule === undefined) return undefined;
    const name = descriptor.entries.map(({ key }) => key).join('.');
    const key = `envoy ${JSON.stringify([domain, ...descriptor.entries.map((each) => [each.key, each.value])])}`;
    return { ask: asks.push({ key, rule, cost: descriptor.hits ?? hits, group: domain }) - 1, rule, name };
  });
  return { asks, places };
}

/** The Envoy's own limit, else the first of ours that is for these entries. */
function ruleFor(
  limits: readonly ServedLimit[],
  domain: string,
  { entries, override }: Descriptor,
): RateRule | undefined {
  if (override !== undefined) return { algorithm: 'fixed_window', ...override };
  const found = limits.find(
    (limit) =>
      limit.domain === domain &&
      limit.match.length === entries.length &&
      limit.match.every(({ key, value }, at) => {
        const entry = entries[at];
        return entry?.key === key && (value === undefined || value === entry.value);
      }),
  );
  return found?.rule;
}

async function answerOf(asked: Asked, admit: Service<Asked, undefined>, call: Call): Promise<Uint8Array> {
  let admitted = true;
  try {
    await admit(asked, call);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (error.reason !== 'RATE_LIMITED') throw error;
    admitted = false;
  }
  const decisions = call.get(verdictOf)?.decisions ?? [];
  const statuses = asked.places.map((place): DescriptorStatus => {
    if (place === undefined) return { admitted: true };
    // Nothing was decided where the store could not be asked: all are let through then, or none.
    const decision = decisions[place.ask];
    return decision === undefined ? { admitted } : statusOf(decision, place.rule, place.name);
  });
  const waits = decisions.filter((each) => !each.admitted).map(({ retryAfterMs }) => retryAfterMs);
  const finite = waits.filter(Number.isFinite);
  return writeAnswer(admitted, statuses, admitted || finite.length === 0 ? undefined : Math.max(...finite));
}

function statusOf(decision: RateDecision, rule: RateRule, name: string): DescriptorStatus {
  const { admitted, limit, remaining, resetMs } = decision;
  const windowMs = rule.algorithm === 'concurrency' ? 0 : rule.windowMs;
  return { admitted, limit: { requests: limit, windowMs, name }, remaining, resetMs };
}
