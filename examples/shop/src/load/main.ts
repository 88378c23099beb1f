import { parseArgs } from 'node:util';
import { App, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { nodeRuntime, runProcess } from '@heddle/kernel/node';
import { httpClient, httpServer } from '@heddle/rpc';
import { httpApi } from '../http-api.ts';
import { type Load, load } from './open-loop.ts';

const usage = `usage: load --gateway host:port [--rate visitors-per-second] [--seed n] [--think ms] [--port n] [--seconds n]
  --gateway  where the shop is
  --rate     visitors per second, on average (default 5)
  --seed     decides what they do (default 1)
  --think    how long they look at a page, on average, in milliseconds (default 300)
  --port     serves GET /report there, on 127.0.0.1 (default: a free one)
  --seconds  stop after so long (default: until a signal)`;

const options = {
  gateway: { type: 'string' },
  rate: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  think: { type: 'string', default: '300' },
  port: { type: 'string', default: '0' },
  seconds: { type: 'string', default: '0' },
} as const;

/** The number of an option, or the end of the program with a sentence. */
function number(name: Exclude<keyof typeof options, 'gateway'>, text: string, most: number): number {
  const value = /^\d{1,10}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new Error(`--${name} must be a number from 0 to ${most}, not ${JSON.stringify(text)}`);
}

/** Prints the counts every five seconds and at the end, as one line of JSON. */
function printer(runtime: Runtime, visitors: Load): Part {
  let timer: Timer | undefined;
  const print = (): void => console.log(JSON.stringify(visitors.report()));
  const again = (): void => {
    timer = runtime.timers.after(5000, () => {
      print();
      again();
    });
  };
  return {
    name: 'printer',
    start: async () => again(),
    stop: async () => {
      timer?.cancel();
      print();
    },
  };
}

function compose(): { app: App; runtime: Runtime; seconds: number } {
  const { values } = parseArgs({ options });
  if (values.gateway === undefined || !/^\S+:\d+$/.test(values.gateway)) {
    throw new Error('--gateway must be the address of the gateway, as in 127.0.0.1:8080');
  }
  const runtime = nodeRuntime({ name: 'load' });
  // What fails is to be seen here, not smoothed over: the visitor repeats an order, nobody repeats anything else.
  const shop = httpClient({ runtime, target: values.gateway, attempts: 1 });
  const visitors = load({
    runtime,
    http: shop.service,
    rate: number('rate', values.rate, 10_000),
    seed: number('seed', values.seed, 0xffff_ffff),
    thinkMs: number('think', values.think, 60_000),
  });
  const api = httpApi({ 'GET /report': async () => ({ status: 200, body: visitors.report() }) });
  const address = { host: '127.0.0.1', port: number('port', values.port, 65_535) };
  const server = httpServer(api.service, { runtime, address });
  const said: Part = {
    name: 'address',
    start: async () =>
      runtime.log('info', 'visitors are on their way', {
        report: `http://127.0.0.1:${server.address.port}/report`,
      }),
    stop: async () => {},
  };
  const client: Part = { name: 'client', start: async () => {}, stop: async () => shop.close() };
  const parts = [client, printer(runtime, visitors), server, said, visitors];
  const app = new App({ name: 'load', runtime, parts, drainMs: 15_000 });
  return { app, runtime, seconds: number('seconds', values.seconds, 1e9) };
}

try {
  const { app, runtime, seconds } = compose();
  if (seconds > 0) runtime.timers.after(seconds * 1000, () => process.kill(process.pid, 'SIGTERM'));
  await runProcess(app, runtime.log);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 1;
}
