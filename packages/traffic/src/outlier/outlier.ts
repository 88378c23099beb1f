import type { Classify, Layer } from '@heddle/kernel';
import { judged } from '../judge/judged.ts';
import type { WatchedInstance } from './outlier-detector.ts';

/**
 * Tells the detector how each call to one instance went: its time to the answer, and at its end whether it failed.
 * Stands below `balance`. It refuses nothing: who is ejected is for the balancer to avoid.
 */
export function outlier<Req, Res>(
  watched: WatchedInstance,
  options: { readonly classify: Classify<Req, Res> },
): Layer<Req, Res> {
  const { classify } = options;
  return (next) => (req, call) => {
    const { startMs } = call;
    let answeredMs: number | undefined;
    return judged(next, req, call, classify, {
      answered: () => {
        answeredMs = call.runtime.clock.nowMs();
      },
      ended: (meaning) => watched.record(meaning, (answeredMs ?? call.endMs) - startMs, call.endMs),
    });
  };
}
