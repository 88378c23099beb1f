import { type Address, Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { type Endpoint, endpoint, type EndpointTls, Fields, type HttpRequest, wholeBody } from '@heddle/wire';

/** Where OTLP is spoken over HTTP, in protobuf. */
export interface OtlpReceiver {
  readonly runtime: Runtime;
  /** Usually port 4318, and with a control plane its own. */
  readonly address: Address;
  /** How to speak TLS with it; undefined: plaintext. */
  readonly tls?: EndpointTls | undefined;
  /** Shown as `authorization: Bearer …`. */
  readonly token?: string | undefined;
  /** The longest that one request may take. Default 5000. */
  readonly timeoutMs?: number;
}

/** Sends requests of OTLP, on a runtime without spans: what is sent is not observed in its turn. */
export class OtlpPost {
  readonly #receiver: OtlpReceiver;
  readonly #runtime: Runtime;
  readonly #endpoint: Endpoint;

  constructor(receiver: OtlpReceiver) {
    this.#receiver = receiver;
    this.#runtime = { ...receiver.runtime, spans: undefined };
    const { address, tls } = receiver;
    const limits = { connections: 1 };
    const secure = tls === undefined ? {} : { tls };
    this.#endpoint = endpoint({ runtime: this.#runtime, address, protocol: 'http1', limits, ...secure });
  }

  /** The status of the answer, or why there was none. */
  async post(path: string, bytes: Uint8Array): Promise<number | HeddleError> {
    const { timeoutMs = 5000, address, token } = this.#receiver;
    const fields = Fields.of({ 'content-type': 'application/x-protobuf' });
    if (token !== undefined) fields.append('authorization', `Bearer ${token}`);
    const request: HttpRequest = {
      method: 'POST',
      scheme: this.#receiver.tls === undefined ? 'http' : 'https',
      authority: `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
      path,
      fields,
      body: wholeBody(bytes),
    };
    const call = Call.root(this.#runtime, this.#runtime.clock.nowMs() + timeoutMs);
    const limit = this.#runtime.timers.after(timeoutMs, () => call.cancel(tooSlow(timeoutMs)));
    const result = await settle(this.#endpoint.request, request, call);
    if (result.ok) await result.value.body.bytes(65_536).catch(() => {});
    limit.cancel();
    return result.ok ? result.value.status : result.error;
  }

  close(): void {
    this.#endpoint.close();
  }
}

function tooSlow(timeoutMs: number): HeddleError {
  const message = `no answer within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'EXPORT_TIMEOUT', message });
}
