import type { Instance } from '@heddle/discovery';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { createTransport } from '@heddle/rpc';
import { emptyBody, endpoint, Fields } from '@heddle/wire';
import { type Contract, readContract } from '../contract/contract.ts';
import { contractKey } from '../contract/contract-service.ts';
import { reflected } from './reflected.ts';

/** What collecting takes. */
export interface CollectOptions {
  readonly runtime: Runtime;
  readonly timeoutMs: number;
}

const longestContractBytes = 8 * 1024 * 1024;

/**
 * The contract of an instance: what it tells at the path in its metadata (see `contractKey`), and what its gRPC server
 * reflects, where it speaks gRPC. Undefined if it tells nothing. Rejects when it cannot be asked, or `BAD_CONTRACT`.
 */
export async function collected(instance: Instance, options: CollectOptions): Promise<Contract | undefined> {
  const path = instance.metadata[contractKey];
  const speaksGrpc = instance.protocol === 'grpc' || /\bgrpc\b/.test(instance.metadata['protocols'] ?? '');
  const [told, shown] = await Promise.all([
    path === undefined ? undefined : askedFor(instance, path, options),
    speaksGrpc ? reflection(instance, options) : undefined,
  ]);
  if (told === undefined && shown === undefined) return undefined;
  return { ...shown, ...told };
}

async function askedFor(
  instance: Instance,
  path: string,
  { runtime, timeoutMs }: CollectOptions,
): Promise<Contract> {
  const { address: host, port } = instance;
  const at = endpoint({ runtime, address: { host, port }, protocol: 'http1', limits: { connections: 1 } });
  const call = Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
  const limit = runtime.timers.after(timeoutMs, () => call.cancel(tooSlow(timeoutMs)));
  const request = {
    method: 'GET',
    scheme: 'http',
    authority: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    path,
    fields: Fields.of({ accept: 'application/json' }),
    body: emptyBody,
  } as const;
  try {
    const result = await settle(at.request, request, call);
    if (!result.ok) throw result.error;
    const bytes = await result.value.body.bytes(longestContractBytes);
    if (result.value.status !== 200) throw noContract(`answered ${result.value.status}`);
    return readContract(parsed(new TextDecoder().decode(bytes)));
  } finally {
    limit.cancel();
    at.close();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw noContract('answered something else than JSON');
  }
}

/** Undefined for a server without reflection: it is off unless an application switches it on. */
async function reflection(
  { address, port }: Instance,
  { runtime, timeoutMs }: CollectOptions,
): Promise<Pick<Contract, 'descriptors' | 'services'> | undefined> {
  const host = address.includes(':') ? `[${address}]` : address;
  const transport = createTransport({ runtime, target: `static:///${host}:${port}`, timeoutMs });
  try {
    const found = await reflected(transport, { timeoutMs });
    return found.services?.length === 0 ? undefined : found;
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (error.code === 'unimplemented') return undefined;
    throw error;
  } finally {
    transport.close();
  }
}

function tooSlow(timeoutMs: number): HeddleError {
  const message = `the instance did not tell its contract within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'CONTRACT_TIMEOUT', message });
}

function noContract(what: string): HeddleError {
  const message = `an instance that promises a contract ${what}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_CONTRACT', message });
}
