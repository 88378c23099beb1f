// One gRPC call of any kind, seen as messages in both directions: what the cases are written in, whoever the client is.
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';

/** A method with its messages typed, whatever its kind. */
export interface InteropMethod<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> {
  readonly desc: DescMethod;
  readonly input: I;
  readonly output: O;
}

/** How a call ended: the number of its status, 0 for success. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/** A call under way. */
export interface Dialogue<I extends DescMessage, O extends DescMessage> {
  send(message: MessageInitShape<I>): void;
  /** Nothing more will be sent. */
  finish(): void;
  /** The next message; undefined when the call has ended. */
  receive(): Promise<MessageShape<O> | undefined>;
  cancel(): void;
  /** Complete when `receive` has given undefined. */
  readonly status: Status;
  header(name: string): string | undefined;
  /** Values of names in `-bin` are base64. */
  trailer(name: string): string | undefined;
}

/** What a call may carry. */
export interface DialogueOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether what is sent is compressed by gzip. Default false. */
  readonly compressed?: boolean;
}

/** A gRPC client, connected to one server. */
export interface InteropClient {
  /** Whether `header('grpc-encoding')` tells how an answer was compressed; others keep that to themselves. */
  readonly showsEncoding: boolean;
  open<I extends DescMessage, O extends DescMessage>(
    method: InteropMethod<I, O>,
    options?: DialogueOptions,
  ): Dialogue<I, O>;
  close(): Promise<void>;
}

/** A method as the cases open it. */
export function of<M extends DescMethod>(method: M): InteropMethod<M['input'], M['output']> {
  return { desc: method, input: method.input, output: method.output };
}
