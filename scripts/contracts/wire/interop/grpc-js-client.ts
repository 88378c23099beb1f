// grpc-js as one of the clients that the cases run with.
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, compressionAlgorithms, credentials, Metadata } from '@grpc/grpc-js';
import type { Place } from '../../../engines/engine.ts';
import type { Dialogue, DialogueOptions, InteropClient, InteropMethod, Status } from './dialogue.ts';
import { MessageQueue } from './message-queue.ts';

/** A client of the server at `target`. */
export function grpcJsClient(target: Place): InteropClient {
  const address = `${target.host}:${target.port}`;
  const plain = new Client(address, credentials.createInsecure());
  const compressing = new Client(address, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  return {
    showsEncoding: false,
    open: (method, options = {}) =>
      new GrpcJsDialogue(options.compressed === true ? compressing : plain, method, options),
    close: async () => {
      plain.close();
      compressing.close();
    },
  };
}

class GrpcJsDialogue<I extends DescMessage, O extends DescMessage> implements Dialogue<I, O> {
  status: Status = { code: -1, message: 'not ended' };
  readonly #stream: ClientDuplexStream<MessageInitShape<I>, MessageShape<O>>;
  readonly #received: AsyncIterator<MessageShape<O>>;
  #header: Metadata = new Metadata();
  #trailer: Metadata = new Metadata();

  constructor(client: Client, { desc, input, output }: InteropMethod<I, O>, options: DialogueOptions) {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {}))
      metadata.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
    // On the wire every kind of call is a stream in both directions.
    this.#stream = client.makeBidiStreamRequest(
      `/${desc.parent.typeName}/${desc.name}`,
      (message: MessageInitShape<I>) => Buffer.from(toBinary(input, create(input, message))),
      (bytes) => fromBinary(output, bytes),
      metadata,
      options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs },
    );
    const queue = new MessageQueue<MessageShape<O>>();
    this.#received = queue[Symbol.asyncIterator]();
    this.#stream.on('data', (message: MessageShape<O>) => queue.push(message));
    this.#stream.on('metadata', (header: Metadata) => (this.#header = header));
    this.#stream.on('error', () => {});
    this.#stream.on('status', ({ code, details, metadata: trailer }) => {
      this.status = { code, message: code === 0 ? '' : details };
      this.#trailer = trailer;
      queue.end();
    });
  }

  send(message: MessageInitShape<I>): void {
    this.#stream.write(message);
  }

  finish(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  async receive(): Promise<MessageShape<O> | undefined> {
    const next = await this.#received.next();
    return next.done === true ? undefined : next.value;
  }

  header(name: string): string | undefined {
    return textOf(this.#header, name);
  }

  trailer(name: string): string | undefined {
    return textOf(this.#trailer, name);
  }
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === 'string' || value === undefined ? value : value.toString('base64');
}
