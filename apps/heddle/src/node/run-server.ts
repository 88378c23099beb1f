import { App, type AppOptions } from '@heddle/kernel';
import { exitCodes, type World } from '../command.ts';
import { tellReady } from './tell-parent.ts';

/**
 * Runs an app until a signal stops it: gives 0 after a clean stop, 1 after one with problems; a second signal ends the
 * process at once. Rejects if it cannot start. `facts` is asked when it runs, and told to the supervisor; `logged` is what of it
 * may be written to a log, by default all. With `onHangup`, SIGHUP calls that instead.
 */
export async function runServer(
  options: AppOptions,
  world: World,
  facts: () => Readonly<Record<string, string>>,
  logged: (told: Readonly<Record<string, string>>) => Readonly<Record<string, string>> = (told) => told,
  onHangup?: () => void,
): Promise<number> {
  const { log } = options.runtime;
  const app = new App(options);
  const stopped = new Promise<number>((resolve) => {
    const stop = (why: string, code: number): void => {
      log('info', 'stopping', { why });
      void app.stop().then(({ problems }) => resolve(problems.length === 0 ? code : exitCodes.failed));
    };
    let asked = 0;
    world.onSignal((signal) => {
      if (signal === 'SIGHUP' && onHangup !== undefined) {
        onHangup();
        return;
      }
      asked += 1;
      if (asked === 1) stop(signal, exitCodes.done);
      else process.exit(exitCodes.cutShort);
    });
    process.on('uncaughtException', (error) => {
      log('error', 'uncaught exception', { error });
      stop('uncaught exception', exitCodes.failed);
    });
  });
  try {
    await app.start();
  } catch (thrown) {
    if (app.state === 'failed') throw thrown;
    return stopped;
  }
  const told = facts();
  log('info', 'ready', logged(told));
  tellReady(told);
  return stopped;
}
