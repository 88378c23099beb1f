// A subject of the cost of being observed: calls for so much CPU time when told to, and the CPU time of each.
const inFlight = 50;
// To ask for the CPU time costs as much as a good part of a call.
const askEvery = 32;

/**
 * Answers each message, a number of milliseconds of CPU time, with the CPU microseconds per call in that time. A turn on a machine
 * that is busy with other work takes longer, and is as warm as any other.
 */
export function takeTurns(call: () => Promise<void>): void {
  const turn = async (cpuMs: number): Promise<number> => {
    const before = process.cpuUsage();
    const used = (): number => {
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    let calls = 0;
    let over = false;
    const one = async (): Promise<void> => {
      while (!over) {
        await call();
        calls++;
        if (calls % askEvery === 0) over = used() >= cpuMs * 1000;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    return used() / calls;
  };
  process.on('message', (cpuMs: number) => {
    void turn(cpuMs).then((micros) => process.send?.(micros));
  });
  process.send?.('ready');
}
