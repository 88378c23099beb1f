/** How a contract suite has work done: in real time as it is, in virtual time by moving the clock. */
export type RunWork = <T>(work: () => Promise<T>) => Promise<T>;

/** For ports of the machine. */
export const inRealTime: RunWork = (work) => work();
