import { type Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { type Endpoint, endpoint, Fields, wholeBody } from '@heddle/wire';
import type { Secrets } from '../auth/authenticator.ts';
import type { DecisionPointConfig } from './decide-schema.ts';
import { type Decision, readDecision } from './decision.ts';

const longestAnswer = 1_048_576;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

interface Remembered {
  readonly decision: Decision;
  readonly untilMs: number;
}

/** Asks OPA's data API. The same question within `cacheMs` is answered from memory, of which there is a bounded amount. */
export class DecisionPoint {
  readonly config: DecisionPointConfig;
  readonly #runtime: Runtime;
  readonly #endpoint: Endpoint;
  readonly #authority: string;
  readonly #secure: boolean;
  readonly #fields: Fields;
  /** In the order of making: the first is the oldest. */
  readonly #remembered = new Map<string, Remembered>();

  /** Throws `failed_precondition` / `MISSING_SECRET`. */
  constructor(config: DecisionPointConfig, runtime: Runtime, secrets: Secrets) {
    const { protocol, hostname, port, host } = new URL(config.opa);
    this.config = config;
    this.#runtime = runtime;
    this.#secure = protocol === 'https:';
    this.#authority = host;
    this.#fields = Fields.of({ 'content-type': 'application/json', accept: 'application/json' });
    if (config.tokenEnv !== undefined)
      this.#fields.set('authorization', `Bearer ${secretOf(config.tokenEnv, secrets)}`);
    const address = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (this.#secure ? 443 : 80)),
    };
    const way = { runtime, address, protocol: 'http1' as const };
    this.#endpoint = endpoint(this.#secure ? { ...way, tls: { source: usualRoots } } : way);
  }

  /** Decisions remembered. */
  get size(): number {
    return this.#remembered.size;
  }

  /** What the policy says of the input. Rejects when it says nothing in time, or nothing that can be read. */
  async decide(policy: string, input: object, call: Call): Promise<Decision> {
    const { cacheMs = 0 } = this.config;
    const question = JSON.stringify({ input });
    if (cacheMs === 0) return this.#ask(policy, question, call);
    const key = `${policy} ${question}`;
    const nowMs = this.#runtime.clock.nowMs();
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known.decision;
    const decision = await this.#ask(policy, question, call);
    this.#remember(key, { decision, untilMs: nowMs + cacheMs });
    return decision;
  }

  /** Drops the connections. */
  close(): void {
    this.#endpoint.close();
  }

  #remember(key: string, remembered: Remembered): void {
    const { cacheEntries = 10_000 } = this.config;
    this.#remembered.delete(key);
    this.#remembered.set(key, remembered);
    for (const [oldest] of this.#remembered) {
      if (this.#remembered.size <= cacheEntries) break;
      this.#remembered.delete(oldest);
    }
  }

  async #ask(policy: string, question: string, call: Call): Promise<Decision> {
    const { timeoutMs = 500 } = this.config;
    const { clock, timers } = this.#runtime;
    const child = call.child(clock.nowMs() + timeoutMs);
    const timer = timers.after(timeoutMs, () => child.cancel(late(timeoutMs)));
    try {
      const request = {
        method: 'POST',
        scheme: this.#secure ? ('https' as const) : ('http' as const),
        authority: this.#authority,
        path: `/v1/data/${policy}`,
        fields: this.#fields.clone(),
        body: wholeBody(new TextEncoder().encode(question)),
      };
      const result = await settle(this.#endpoint.request, request, child);
      if (!result.ok) throw result.error;
      const { status, body } = result.value;
      const text = new TextDecoder().decode(await body.bytes(longestAnswer));
      if (status !== 200) throw unable(`it answered ${status}`);
      return readDecision(text);
    } finally {
      timer.cancel();
    }
  }
}

function secretOf(name: string, secrets: Secrets): string {
  const secret = secrets(name) ?? '';
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  const message = `the secret ${name} is not set: it is the token for the decision point, and has no default`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SECRET', message, sent: false });
}

function late(timeoutMs: number): HeddleError {
  return unable(`it did not answer within ${timeoutMs} ms`);
}

function unable(why: string): HeddleError {
  const message = `the decision point cannot be asked: ${why}`;
  return new HeddleError({ code: 'unavailable', reason: 'NO_DECISION', message, sent: false });
}
