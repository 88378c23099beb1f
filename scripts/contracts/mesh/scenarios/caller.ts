import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { sayMethod } from './echo.ts';
import type { Ask, Said } from './plane.ts';

/** A client of grpc-js that says things; `target` is any that it knows. */
export class Caller {
  readonly #client: Client;

  constructor(
    target: string,
    options: ChannelOptions = {},
    secured: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(target, secured, options);
  }

  /** Never rejects: what went wrong is the answer. */
  say({ metadata = {}, timeoutMs = 30_000 }: Ask = {}): Promise<Said> {
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
    const startedMs = performance.now();
    const { path, requestSerialize, responseDeserialize } = sayMethod;
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, from = ''): void =>
        resolve({
          code: error?.code ?? status.OK,
          from,
          details: error?.details ?? '',
          tookMs: performance.now() - startedMs,
        });
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        'hello',
        sent,
        { deadline: Date.now() + timeoutMs },
        done,
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
