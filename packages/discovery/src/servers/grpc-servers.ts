import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type Address, type Call, HeddleError } from '@heddle/kernel';
import {
  type Body,
  Fields,
  fewMessagesOf,
  frame,
  type HttpRequest,
  messagesOf,
  readGrpcStatus,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { authorityOf } from '../health/probe/authority.ts';
import type { Answered, Asked, ServerGroup } from './server-group.ts';

/** A method with the messages that it takes and gives, as a generated service describes it. */
export type GrpcMethod<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly input: I;
  readonly output: O;
};

/** What is sent beside a message. */
export interface GrpcAsking<Answer = unknown> {
  /** Metadata. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Deadline, if the group's own is longer. */
  readonly timeoutMs?: number;
  /** Looks at an answer with who gave it: what it throws makes it the next server's turn. */
  readonly check?: (answer: Answer, asked: Asked) => void;
}

/** A stream of answers that has begun. */
export interface GrpcStream<O extends DescMessage> {
  /** Rejects with the status that the server ended it with, `unavailable` if that was OK: a watch should not end. */
  readonly messages: AsyncIterable<MessageShape<O>>;
  /** For `ServerGroup.moveOn`. */
  readonly asked: Asked;
}

const largestMessageBytes = 64 * 1024 * 1024;

/**
 * One message there, one back; also for a streaming method that is used so. Rejects with the server's status (reason
 * `UPSTREAM_STATUS`), or as `ServerGroup.ask`.
 */
export function askGrpc<I extends DescMessage, O extends DescMessage>(
  group: ServerGroup,
  method: GrpcMethod<I, O>,
  message: MessageInitShape<I>,
  { metadata, timeoutMs, check }: GrpcAsking<MessageShape<O>> = {},
): Promise<MessageShape<O>> {
  const content = wholeBody(frame(toBinary(method.input, create(method.input, message))));
  const read = async ({ response, asked }: Answered): Promise<MessageShape<O>> => {
    const { status, fields, body } = response;
    const [first] = await fewMessagesOf(body, { limitBytes: largestMessageBytes }, 1);
    const error = readGrpcStatus(body.trailers ?? fields, status);
    if (error !== undefined) throw error;
    if (first === undefined) throw noAnswer(method);
    const answer = fromBinary(method.output, first);
    check?.(answer, asked);
    return answer;
  };
  return group.ask((address) => requestTo(address, method, metadata, content), read, timeoutMs);
}

/**
 * Messages there as `requests` gives them, messages back until the call is cancelled. The deadline is that of the
 * answer's head.
 */
export async function openGrpc<I extends DescMessage, O extends DescMessage>(
  group: ServerGroup,
  method: GrpcMethod<I, O>,
  requests: AsyncIterable<MessageInitShape<I>>,
  call: Call,
  { metadata }: GrpcAsking = {},
): Promise<GrpcStream<O>> {
  const content = streamBody(framed(method.input, requests));
  const request = (address: Address): HttpRequest => requestTo(address, method, metadata, content);
  const { begun, asked } = await group.open(request, call, async ({ response: { status, fields, body } }) => {
    // Without a message the trailers come as the head.
    if (status !== 200 || fields.get('grpc-status') !== undefined)
      throw readGrpcStatus(fields, status) ?? streamEnded(method);
    return body;
  });
  return { messages: readStream(method, begun), asked };
}

async function* readStream<O extends DescMessage>(
  method: GrpcMethod<DescMessage, O>,
  body: Body,
): AsyncGenerator<MessageShape<O>, void> {
  for await (const message of messagesOf(body, { limitBytes: largestMessageBytes }))
    yield fromBinary(method.output, message);
  throw readGrpcStatus(body.trailers ?? Fields.of({}), 200) ?? streamEnded(method);
}

async function* framed<I extends DescMessage>(
  schema: I,
  requests: AsyncIterable<MessageInitShape<I>>,
): AsyncGenerator<Uint8Array, void> {
  for await (const request of requests) yield frame(toBinary(schema, create(schema, request)));
}

function requestTo(
  address: Address,
  method: DescMethod,
  metadata: GrpcAsking['metadata'],
  body: Body,
): HttpRequest {
  const path = `/${method.parent.typeName}/${method.name}`;
  const fields = Fields.of({ ...metadata, 'content-type': 'application/grpc', te: 'trailers' });
  return { method: 'POST', scheme: 'http', authority: authorityOf(address), path, fields, body };
}

function noAnswer(method: DescMethod): HeddleError {
  const message = `${method.parent.typeName}/${method.name}: the answer ended without a message`;
  return new HeddleError({ code: 'internal', reason: 'NO_ANSWER', message });
}

function streamEnded(method: DescMethod): HeddleError {
  const message = `${method.parent.typeName}/${method.name}: the server ended the stream`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message });
}
