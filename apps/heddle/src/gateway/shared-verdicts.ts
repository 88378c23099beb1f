import type { SharedVerdicts, Verdict } from '@heddle/proxy';
import type { Channel, ToSupervisor, ToWorker } from './messages.ts';

/** What workers find out about the instances of upstreams goes to all of them, by way of the supervisor. */
export function verdictsOver(channel: Channel<ToWorker, ToSupervisor>): (target: string) => SharedVerdicts {
  const listeners = new Map<string, Set<(verdict: Verdict) => void>>();
  channel.onMessage((message) => {
    if (message.kind !== 'verdict') return;
    for (const listener of listeners.get(message.target) ?? []) listener(message.verdict);
  });
  return (target) => ({
    tell: (verdict) => channel.send({ kind: 'verdict', target, verdict }),
    onVerdict: (listener) => {
      const all = listeners.get(target) ?? new Set();
      listeners.set(target, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0) listeners.delete(target);
      };
    },
  });
}
