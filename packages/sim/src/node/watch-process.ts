import process from 'node:process';
import type { MistakeWatch } from '../scenario.ts';

/** Hears of what nobody catches in this process: code under simulation runs in it. One watch at a time. */
export const watchProcess: MistakeWatch = (listener) => {
  process.on('uncaughtException', listener);
  process.on('unhandledRejection', listener);
  return () => {
    process.off('uncaughtException', listener);
    process.off('unhandledRejection', listener);
  };
};
