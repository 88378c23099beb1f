import { Call, HeddleError, perform, type Runtime, type Service } from '@heddle/kernel';
import { timeout } from '@heddle/traffic';
import type { Branch, BranchId, Decision, Participant, Vote } from './participant.ts';

/** What a coordinator says to a service that takes part. */
export type TxRequest =
  /** Do it, and make sure that you can commit it whatever happens. The answer is the vote yes; an error is a no. */
  | ({ readonly op: 'prepare'; readonly payload: unknown } & BranchId)
  /** Carry out the decision. The answer is its confirmation; it comes again until it is answered. */
  | ({ readonly op: Decision } & BranchId);

/** What it answers: for `prepare` whatever the work results in. */
export interface TxAnswer {
  readonly result?: unknown;
}

/** The contract of a service that takes part, over whatever RPC. */
export type TxService = Service<TxRequest, TxAnswer>;

/** What a participant behind an RPC is made from. */
export interface RpcParticipantOptions {
  readonly runtime: Runtime;
  readonly name: string;
  /** A client of the service. Answers to `TxRequest` at the other end: see `TxEndpoint`. */
  readonly service: TxService;
  /** How long one exchange may take, whatever the client itself makes of deadlines. Default 10000. */
  readonly timeoutMs?: number;
  /**
   * Attempts at a prepare that got lost (`unavailable`). The service does it once; asked again it votes yes without a
   * result, so more than 1 is for branches whose result nobody reads. Default 1.
   */
  readonly attempts?: number;
}

/** A service that takes part in a transaction. */
export class RpcParticipant<Payload = unknown, Result = unknown> implements Participant {
  readonly name: string;
  readonly #options: RpcParticipantOptions;
  // Branches that are prepared hold their locks meanwhile: nothing may wait for ever.
  readonly #service: TxService;

  constructor(options: RpcParticipantOptions) {
    this.name = options.name;
    this.#options = options;
    this.#service = timeout<TxRequest, TxAnswer>()(options.service);
  }

  /** Work that the service does for this payload. */
  branch(payload: Payload): Branch<Result> {
    return { participant: this, prepare: (id, call) => this.#prepare(id, payload, call) };
  }

  async check(): Promise<void> {
    // A service that is away now may be there when it is needed; until then it votes no by not answering.
  }

  async settle(id: BranchId, decision: Decision): Promise<void> {
    await this.#say({ op: decision, ...id });
  }

  async #prepare(id: BranchId, payload: Payload, call: Call): Promise<Vote<Result>> {
    const { attempts = 1 } = this.#options;
    for (let attempt = 1, sent = false; ; attempt += 1)
      try {
        const { result } = await this.#say({ op: 'prepare', payload, ...id }, call);
        return { yes: true, value: result as Result };
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        sent ||= error.sent;
        if (error.code === 'unavailable' && attempt < attempts) continue;
        // Whatever it has said: it is told to abort, and that is harmless where there is nothing.
        return { yes: false, gone: !sent, error };
      }
  }

  #say(request: TxRequest, parent?: Call): Promise<TxAnswer> {
    const { runtime, timeoutMs = 10_000 } = this.#options;
    const deadlineMs = runtime.clock.nowMs() + timeoutMs;
    const call = parent === undefined ? Call.root(runtime, deadlineMs) : parent.child(deadlineMs);
    return perform(this.#service, request, call);
  }
}
