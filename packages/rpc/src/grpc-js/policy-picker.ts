import { experimental, Metadata, status } from '@grpc/grpc-js';
import { Call, codes, HeddleError, type Runtime } from '@heddle/kernel';
import { hashKey, noneExcluded, type Picker } from '@heddle/traffic';
import type { GrpcCandidate } from './grpc-candidate.ts';
import type { TentativeCalls } from './tentative-calls.ts';

/** What a picker of a channel works with. */
export interface PolicyPickerOptions {
  readonly runtime: Runtime;
  readonly calls: TentativeCalls;
  readonly hashHeader: string | undefined;
}

/** One of our pickers as grpc-js wants it. */
export class PolicyPicker implements experimental.Picker {
  readonly #picker: Picker<GrpcCandidate>;
  readonly #options: PolicyPickerOptions;

  constructor(picker: Picker<GrpcCandidate>, options: PolicyPickerOptions) {
    this.#picker = picker;
    this.#options = options;
  }

  /** Never throws: in grpc-js that would be an uncaught exception, and the end of the process. */
  pick(args: experimental.PickArgs): experimental.PickResult {
    try {
      return this.#pick(args);
    } catch (thrown) {
      const { runtime } = this.#options;
      const { message } = HeddleError.from(thrown);
      runtime.log('error', 'a balancing policy failed', { policy: this.#picker.policy, error: thrown });
      return failing(`the balancing policy ${this.#picker.policy} failed: ${message}`);
    }
  }

  #pick(args: experimental.PickArgs): experimental.PickResult {
    const { runtime, calls, hashHeader } = this.#options;
    const call = Call.root(runtime);
    if (hashHeader !== undefined) call.set(hashKey, textOf(args.metadata, hashHeader));
    const chosen = this.#picker.pick(call, noneExcluded);
    if (chosen === undefined) return failing('the channel has no instance');
    const result = chosen.leaf.getPicker().pick(args);
    if (result.pickResultType !== experimental.PickResultType.COMPLETE) return result;
    const counted = calls.picked(call, chosen.load);
    return {
      ...result,
      onCallStarted: () => {
        counted.started();
        result.onCallStarted?.();
      },
      onCallEnded: (code, details, metadata) => {
        counted.ended(errorOf(code, details));
        result.onCallEnded?.(code, details, metadata);
      },
    };
  }
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return value?.toString();
}

function errorOf(code: status, details: string): HeddleError | undefined {
  if (code === status.OK) return undefined;
  return new HeddleError({ code: codes[code - 1] ?? 'unknown', reason: 'GRPC_STATUS', message: details });
}

function failing(details: string): experimental.PickResult {
  return {
    pickResultType: experimental.PickResultType.TRANSIENT_FAILURE,
    subchannel: null,
    status: { code: status.UNAVAILABLE, details, metadata: new Metadata() },
    onCallStarted: null,
    onCallEnded: null,
  };
}
