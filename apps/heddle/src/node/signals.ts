const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `listener` for each signal that asks this process to end, with how many have come, from 1. */
export function onSignals(listener: (signal: string, count: number) => void): void {
  let count = 0;
  for (const signal of signals) {
    process.on(signal, () => {
      count += 1;
      listener(signal, count);
    });
  }
}
