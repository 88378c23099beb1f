// A subject of the cost of being observed: calls for so many milliseconds when told to, and the CPU time of each.
const inFlight = 50;

/** Answers each message, a number of milliseconds, with the CPU microseconds per call in that time. */
export function takeTurns(call: () => Promise<void>): void {
  const turn = async (durationMs: number): Promise<number> => {
    const end = performance.now() + durationMs;
    const before = process.cpuUsage();
    let calls = 0;
    const one = async (): Promise<void> => {
      while (performance.now() < end) {
        await call();
        calls++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  };
  process.on('message', (durationMs: number) => {
    void turn(durationMs).then((micros) => process.send?.(micros));
  });
  process.send?.('ready');
}
