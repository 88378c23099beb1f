import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ambient } from '../ambient.ts';
import type { Call } from '../call.ts';

const storage = new AsyncLocalStorage<Call>();
let isAsked = false;

function ask(): void {
  isAsked = true;
}

/**
 * The current call by Node's AsyncLocalStorage. One for the process, so that servers and clients that do not know each
 * other meet. Give it to both: `rpcServer({ …, ambient: asyncContext })`, `createTransport({ …, ambient: asyncContext })`.
 */
export const asyncContext: Ambient = {
  current: () => storage.getStore(),
  run: (call, work) => storage.run(call, work),
  ask,
};

/** The same for a runtime: it keeps the current call from when somebody has said that it will be asked for. */
export const contextOnceAsked: Ambient = {
  current: () => storage.getStore(),
  run: (call, work) => (isAsked ? storage.run(call, work) : work()),
  ask,
};
