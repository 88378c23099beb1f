import type { Instance, Registry } from '@heddle/discovery';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, endpoint, Fields, wholeBody } from '@heddle/wire';

const longestAnswer = 16_777_216;
const askMs = 5000;

/** What is asked of a process at its admin address. */
export interface AdminQuestion {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly content?: string;
}

/** Asks processes what only they know, at the address that they have registered as `admin`. */
export class AdminClient {
  readonly #runtime: Runtime;
  readonly #registry: Registry;
  readonly #token: string | undefined;

  /** `token`: that of their admin APIs; without it nobody can be asked. */
  constructor(runtime: Runtime, registry: Registry, token: string | undefined) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#token = token;
  }

  /** Those that can be asked, of one service or of all. */
  async able(service?: string): Promise<readonly Instance[]> {
    const names = service === undefined ? await this.#registry.services() : [service];
    const snapshots = await Promise.all(names.map((name) => this.#registry.instances(name)));
    return snapshots
      .flatMap(({ instances }) => instances)
      .filter(({ metadata }) => metadata['admin'] !== undefined);
  }

  /** One that can be asked. Throws `not_found` / `NO_INSTANCE`. */
  async one(service: string, id: string): Promise<Instance> {
    const found = (await this.able(service)).find((each) => each.id === id);
    if (found !== undefined) return found;
    const message = `${service.slice(0, 80)} has no instance ${id.slice(0, 80)} that can be asked`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_INSTANCE', message, sent: false });
  }

  /** The JSON that it answers. Rejects with what it says if that is not 200, and with `NO_ADMIN_TOKEN`. */
  async ask<T>(instance: Instance, { method = 'GET', path, content }: AdminQuestion): Promise<T> {
    if (this.#token === undefined || this.#token === '') throw noToken();
    const admin = instance.metadata['admin'] ?? '';
    const at = new URL(`http://${admin}`);
    const address = { host: at.hostname.replace(/^\[|\]$/g, ''), port: Number(at.port || 80) };
    const way = endpoint({ runtime: this.#runtime, address, protocol: 'http1' });
    const call = Call.root(this.#runtime, this.#runtime.clock.nowMs() + askMs);
    const limit = this.#runtime.timers.after(askMs, () => call.cancel(tooSlow(instance)));
    try {
      const fields = Fields.of({ authorization: `Bearer ${this.#token}` });
      const body = content === undefined ? emptyBody : wholeBody(new TextEncoder().encode(content));
      const request = { method, scheme: 'http', authority: admin, path, fields, body } as const;
      const result = await settle(way.request, request, call);
      if (!result.ok) throw result.error;
      const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswer));
      if (result.value.status === 200) return JSON.parse(text) as T;
      throw refusedBy(instance, result.value.status, text);
    } finally {
      limit.cancel();
      way.close();
    }
  }
}

const codes: Readonly<Record<number, HeddleError['code']>> = {
  400: 'invalid_argument',
  404: 'not_found',
  409: 'aborted',
  503: 'unavailable',
};

function refusedBy({ id }: Instance, status: number, text: string): HeddleError {
  const said = wordsIn(text);
  const message = said.message ?? `${id} answered ${status}: ${text.slice(0, 200)}`;
  const code = codes[status] ?? 'failed_precondition';
  return new HeddleError({ code, reason: said.reason ?? 'ADMIN_REFUSED', message });
}

function wordsIn(text: string): { readonly reason?: string; readonly message?: string } {
  try {
    return JSON.parse(text) as { reason?: string; message?: string };
  } catch {
    return {};
  }
}

function tooSlow({ id }: Instance): HeddleError {
  const message = `${id} did not answer within ${askMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'ADMIN_TIMEOUT', message });
}

function noToken(): HeddleError {
  const message = 'HEDDLE_ADMIN_TOKEN is not set at the control plane: without it no process can be asked';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_ADMIN_TOKEN', message, sent: false });
}
