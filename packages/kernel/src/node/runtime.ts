import type { LogLevel } from '../ports/log.ts';
import type { Runtime } from '../ports/runtime.ts';
import { contextOnceAsked } from './async-context.ts';
import { nodeClock } from './clock.ts';
import { nodeDisk } from './disk.ts';
import { nodeLog } from './log.ts';
import { nodeNet } from './net.ts';
import { nodeRandom } from './random.ts';
import { nodeTimers } from './timers.ts';

/** What `nodeRuntime` needs to know. */
export interface NodeRuntimeOptions {
  /** The process's name in its log lines. */
  readonly name: string;
  /** Root of all its files. Default `.heddle` in the working folder; nothing is made until something is written. */
  readonly dataFolder?: string;
  /** Default `info`. */
  readonly logLevel?: LogLevel;
}

/** The real machine. */
export function nodeRuntime(options: NodeRuntimeOptions): Runtime {
  return {
    clock: nodeClock,
    random: nodeRandom,
    timers: nodeTimers,
    net: nodeNet,
    disk: nodeDisk(options.dataFolder ?? '.heddle'),
    log: nodeLog(options.name, options.logLevel),
    ambient: contextOnceAsked,
  };
}
