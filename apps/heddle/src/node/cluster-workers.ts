import cluster from 'node:cluster';
import type { Channel, ToSupervisor, ToWorker } from '../gateway/messages.ts';
import type { WorkerChild } from '../gateway/worker-group.ts';
import type { Ended, Program } from '../up/program.ts';

/** True in a process that `forkWorker` has started. */
export const isWorker: boolean = cluster.isWorker;

/**
 * Starts this very command line as a worker. The supervisor accepts connections and hands them to the workers in turn:
 * one that dies takes only its own with it.
 */
export function forkWorker(program: Program): WorkerChild {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // Structured clones: JSON knows no infinity, which is what a limit says that cannot say when.
  cluster.setupPrimary({ serialization: 'advanced' });
  const worker = cluster.fork(program.env);
  const ended = new Promise<Ended>((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
    worker.once('error', () => resolve({ code: null, signal: null }));
  });
  let failure = '';
  const ready = new Promise<Readonly<Record<string, string>>>((resolve) => {
    worker.on('message', (message: ToSupervisor) => {
      if (message.kind === 'serving') resolve({});
      if (message.kind === 'failed') failure = message.error.message;
    });
  });
  const channel: Channel<ToSupervisor, ToWorker> = {
    send: (message) => {
      if (worker.isConnected()) worker.send(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => {
      worker.on('message', listener);
    },
  };
  return {
    pid: worker.process.pid,
    ready,
    ended,
    channel,
    get lastLines() {
      return failure === '' ? [] : [failure];
    },
    signal: (name) => {
      worker.process.kill(name);
    },
  };
}

/** In a worker: the conversation with the supervisor. Without a supervisor the process ends. */
export function supervisorChannel(): Channel<ToWorker, ToSupervisor> {
  return {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => {
      process.on('message', (message: ToWorker) => listener(message));
    },
  };
}
