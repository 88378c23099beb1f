import { grpcProbe, tcpProbe } from '@heddle/discovery/clients';
import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { emptyBody, endpoint, Fields } from '@heddle/wire';

/** What a kubelet would ask an application itself, if it were let in. */
export interface AppProbe {
  readonly httpGet?: {
    readonly port: number;
    readonly path?: string;
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: number };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly timeoutSeconds: number;
}

/** By path, as `heddle inject` hands them on in HEDDLE_APP_PROBES. Throws `invalid_argument` / `BAD_PROBES`. */
export function readAppProbes(text: string | undefined): ReadonlyMap<string, AppProbe> {
  if (text === undefined || text === '') return new Map();
  try {
    return new Map(Object.entries(JSON.parse(text) as Readonly<Record<string, AppProbe>>));
  } catch {
    const message = 'HEDDLE_APP_PROBES: expected the JSON that heddle inject writes';
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROBES', message, sent: false });
  }
}

/** Asks the application on loopback as a kubelet does; gives why it is not well, undefined if it is. */
export async function askApplication(probe: AppProbe, runtime: Runtime): Promise<string | undefined> {
  const call = Call.root(runtime, runtime.clock.nowMs() + probe.timeoutSeconds * 1000);
  const late = `no answer within ${probe.timeoutSeconds} s`;
  const limit = runtime.timers.after(probe.timeoutSeconds * 1000, () =>
    call.cancel(new HeddleError({ code: 'deadline_exceeded', reason: 'PROBE_TIMEOUT', message: late })),
  );
  try {
    return await asked(probe, runtime, call);
  } catch (thrown) {
    return HeddleError.from(thrown).message;
  } finally {
    limit.cancel();
    call.end();
  }
}

async function asked(probe: AppProbe, runtime: Runtime, call: Call): Promise<string | undefined> {
  const { httpGet, tcpSocket, grpc } = probe;
  const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
  if (tcpSocket !== undefined) {
    await tcpProbe(runtime)(at(tcpSocket.port), call);
    return undefined;
  }
  if (grpc !== undefined) {
    const health = grpcProbe(runtime, at(grpc.port), grpc.service ?? '');
    try {
      const { health: found, why } = await health.check(call);
      return found === 'passing' ? undefined : why;
    } finally {
      health.close();
    }
  }
  return httpGet === undefined ? 'nothing is asked' : get(httpGet, runtime, call);
}

async function get(
  { port, path = '/', httpHeaders = [] }: NonNullable<AppProbe['httpGet']>,
  runtime: Runtime,
  call: Call,
): Promise<string | undefined> {
  const target = endpoint({ runtime, address: { host: '127.0.0.1', port }, protocol: 'http1' });
  const fields = Fields.of({ 'user-agent': 'heddle-probe', connection: 'close' });
  let authority = `127.0.0.1:${port}`;
  for (const { name, value } of httpHeaders) {
    if (name.toLowerCase() === 'host') authority = value;
    else fields.append(name.toLowerCase(), value);
  }
  const asked = path.startsWith('/') ? path : `/${path}`;
  try {
    const { status } = await target.request(
      { method: 'GET', scheme: 'http', authority, path: asked, fields, body: emptyBody },
      call,
    );
    // As the kubelet has it: where it is sent on to is not looked at.
    return status >= 200 && status < 400 ? undefined : `status ${status}`;
  } finally {
    target.close();
  }
}
