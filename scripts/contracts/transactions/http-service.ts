// The smallest RPC there is: JSON over HTTP, for processes that are killed.
import { createServer } from 'node:http';
import { type Call, type Code, HeddleError, Call as Calls, type Runtime, type Service } from '@heddle/kernel';

/** Services by path. */
export type Paths = Readonly<Record<string, Service<never, unknown>>>;

/** What can go wrong on the way. */
export interface Weather {
  /** Every request is carried out twice. */
  readonly twice?: boolean;
  /** The first request of each path is answered so much later. */
  readonly firstDelayMs?: number;
  /** The network is cut while the first request of each path is carried out: its answer is lost. */
  readonly firstAnswerLost?: boolean;
  /** The network is cut before so many requests have arrived. */
  readonly cutRequests?: number;
}

/** Serves them on loopback. */
export function serve(port: number, paths: Paths, runtime: Runtime, weather: Weather = {}): Promise<void> {
  const seen = new Set<string>();
  const answered = new Set<string>();
  const answer = async (path: string, body: string): Promise<[number, unknown]> => {
    const service = paths[path] as Service<unknown, unknown> | undefined;
    if (service === undefined) return [404, { message: path }];
    const call = (): Call => Calls.root(runtime, runtime.clock.nowMs() + 5000);
    try {
      if (weather.firstDelayMs !== undefined && !seen.has(path)) {
        seen.add(path);
        await new Promise((resolve) =>
          runtime.timers.after(weather.firstDelayMs ?? 0, () => resolve(undefined)),
        );
      }
      const request: unknown = JSON.parse(body);
      if (weather.twice === true) await service(request, call()).catch(() => {});
      return [200, (await service(request, call())) ?? null];
    } catch (thrown) {
      const { code, reason, message } = HeddleError.from(thrown);
      return [500, { code, reason, message }];
    }
  };
  let cut = weather.cutRequests ?? 0;
  const server = createServer((request, response) => {
    if (cut > 0) {
      cut -= 1;
      request.destroy();
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      void answer(path, body).then(([status, value]) => {
        if (weather.firstAnswerLost === true && !answered.has(path)) {
          answered.add(path);
          // The socket: a request that was read to its end has nothing more to destroy.
          request.socket.destroy();
          return;
        }
        response.writeHead(status, { connection: 'close' }).end(JSON.stringify(value));
      });
    });
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
}

/** A client of one path. */
export function client<Req, Res>(port: number, path: string): Service<Req, Res> {
  return async (request) => {
    let response: Response;
    try {
      response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        body: JSON.stringify(request),
        headers: { connection: 'close' },
      });
    } catch (cause) {
      throw new HeddleError({ code: 'unavailable', reason: 'NO_CONNECTION', message: 'cut', cause });
    }
    const value: unknown = await response.json();
    if (response.status === 200) return value as Res;
    const { code = 'unknown', reason = 'REMOTE', message = '' } = value as Record<string, string>;
    throw new HeddleError({ code: code as Code, reason, message });
  };
}
