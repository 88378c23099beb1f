import { HeddleError } from '../error.ts';
import type { App } from '../lifecycle/app.ts';
import type { Log } from '../ports/log.ts';

/**
 * Runs an app as this process: starts it, stops it on SIGTERM, SIGINT or an uncaught exception, and exits.
 * Exit codes: 0 after a clean stop, 1 if it could not start, stopped with problems or met an uncaught exception.
 * A parent with an IPC channel is sent `{ ready: {} }` once the app runs. A second signal exits at once with 1. Called once, by a program's main file.
 */
export async function runProcess(app: App, log: Log): Promise<void> {
  let code = 0;
  const stop = (why: string): void => {
    log('info', 'stopping', { why });
    void app.stop().then((report) => process.exit(code === 0 && report.problems.length === 0 ? 0 : 1));
  };
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) process.exit(1);
    signalled = true;
    stop(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', (error) => {
    log('error', 'uncaught exception', { error });
    code = 1;
    stop('uncaught exception');
  });
  try {
    await app.start();
    // To a supervisor that has given us a channel; without one there is nobody to tell.
    if (process.connected === true) process.send?.({ ready: {} });
  } catch (error) {
    if (signalled) return;
    const { reason, message } = HeddleError.from(error);
    // What we meant to say is a sentence; only what nobody foresaw needs a stack.
    log('error', 'could not start', reason === 'UNEXPECTED' ? { error } : { reason, error: message });
    process.exit(1);
  }
}
