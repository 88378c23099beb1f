// The service of Connect's conformance suite on our RPC server, as its `service.proto` describes it.
import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { type Call, type CallKey, callKey, codes, HeddleError, type Layer, sleep } from '@heddle/kernel';
import { metadata, type RpcHandlers } from '@heddle/rpc';
import { Fields, type HttpRequest, type HttpResponse } from '@heddle/wire';
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  type Header,
  HeaderSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  type UnaryResponseDefinition,
  UnaryRequestSchema,
} from './gen/connectrpc/conformance/v1/service_pb.ts';

const query: CallKey<string | undefined> = callKey<string | undefined>('conformance-query', undefined);

/** Goes around the service: handlers do not see how they were asked, and this service is to tell. */
export const noteQuery: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  const at = req.path.indexOf('?');
  if (req.method === 'GET' && at >= 0) call.set(query, req.path.slice(at + 1));
  return next(req, call);
};

/** `unimplemented` is left out, as the suite wants it. */
export const conformanceService: RpcHandlers<typeof ConformanceService> = {
  unary: async (request, call) => ({
    payload: await unary(request.responseDefinition, [packed(UnaryRequestSchema, request)], call),
  }),
  idempotentUnary: async (request, call) => ({
    payload: await unary(request.responseDefinition, [packed(IdempotentUnaryRequestSchema, request)], call),
  }),
  clientStream: async (messages, call) => {
    let definition: UnaryResponseDefinition | undefined;
    const requests: Any[] = [];
    for await (const message of messages) {
      if (requests.length === 0) definition = message.responseDefinition;
      requests.push(packed(ClientStreamRequestSchema, message));
    }
    return { payload: await unary(definition, requests, call) };
  },
  async *serverStream(request, call) {
    const definition = request.responseDefinition;
    const requests = [packed(ServerStreamRequestSchema, request)];
    announce(definition, call);
    yield* rest(definition, 0, requests, call);
  },
  async *bidiStream(messages, call) {
    let definition: StreamResponseDefinition | undefined;
    let requests: Any[] = [];
    let seen = 0;
    let sent = 0;
    let duplex = false;
    for await (const message of messages) {
      if (seen++ === 0) {
        definition = message.responseDefinition;
        duplex = message.fullDuplex;
        announce(definition, call);
      }
      requests.push(packed(BidiStreamRequestSchema, message));
      if (!duplex) continue;
      const data = definition?.responseData[sent];
      if (data === undefined) break;
      await delay(definition, call);
      const requestInfo =
        sent === 0 ? info(requests, call) : create(ConformancePayload_RequestInfoSchema, { requests });
      yield { payload: create(ConformancePayloadSchema, { data, requestInfo }) };
      sent++;
      requests = [];
    }
    yield* rest(definition, sent, requests, call);
  },
};

/** The one answer to a call, or its error. */
async function unary(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  call: Call,
): Promise<ConformancePayload> {
  announce(definition, call);
  const requestInfo = info(requests, call);
  const { response } = definition ?? {};
  await delay(definition, call);
  if (response?.case === 'error') throw asked(response.value, requestInfo);
  const data = response?.case === 'responseData' ? response.value : new Uint8Array(0);
  return create(ConformancePayloadSchema, { data, requestInfo });
}

/** The answers that are left, and the error behind them. Only the first of a call tells of its requests. */
async function* rest(
  definition: StreamResponseDefinition | undefined,
  from: number,
  requests: Any[],
  call: Call,
): AsyncGenerator<{ payload: ConformancePayload }, void> {
  const all = definition?.responseData ?? [];
  for (const [at, data] of all.entries()) {
    if (at < from) continue;
    await delay(definition, call);
    const payload = create(ConformancePayloadSchema, { data });
    if (at === 0) payload.requestInfo = info(requests, call);
    yield { payload };
  }
  const { error } = definition ?? {};
  if (error !== undefined) throw asked(error, all.length === 0 ? info(requests, call) : undefined);
}

function packed<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return anyPack(schema, message);
}

/** What was to be sent beside the messages. */
function announce(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  call: Call,
): void {
  const own = call.get(metadata);
  if (own === undefined || definition === undefined) return;
  for (const { name, value } of definition.responseHeaders)
    for (const each of value) own.header.append(name, each);
  for (const { name, value } of definition.responseTrailers)
    for (const each of value) own.trailer.append(name, each);
}

async function delay(
  definition: { readonly responseDelayMs: number } | undefined,
  call: Call,
): Promise<void> {
  const ms = definition?.responseDelayMs ?? 0;
  if (ms > 0) await sleep(call.runtime.timers, ms, call);
}

function info(requests: Any[], call: Call): ConformancePayload_RequestInfo {
  const found = create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: headersOf(call.get(metadata)?.request ?? new Fields()),
    requests,
  });
  const { deadlineMs } = call;
  if (deadlineMs !== undefined && Number.isFinite(deadlineMs))
    found.timeoutMs = BigInt(Math.max(0, Math.ceil(deadlineMs - call.runtime.clock.nowMs())));
  const asked = call.get(query);
  if (asked !== undefined) {
    const queryParams = [...new URLSearchParams(asked)].map(([name, value]) =>
      create(HeaderSchema, { name, value: [value] }),
    );
    found.connectGetInfo = {
      $typeName: 'connectrpc.conformance.v1.ConformancePayload.ConnectGetInfo',
      queryParams,
    };
  }
  return found;
}

/** Fields as the suite's messages have them. */
export function headersOf(fields: Fields): Header[] {
  const byName = new Map<string, Header>();
  for (const [name, value] of fields) {
    const known = byName.get(name) ?? create(HeaderSchema, { name });
    known.value.push(value);
    byName.set(name, known);
  }
  return [...byName.values()];
}

function asked(error: ErrorDefinition, requestInfo: ConformancePayload_RequestInfo | undefined): HeddleError {
  const code = codes[error.code - 1] ?? 'unknown';
  const extra = requestInfo === undefined ? [] : [anyPack(ConformancePayload_RequestInfoSchema, requestInfo)];
  const details = [...error.details, ...extra].map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
    value,
  }));
  return new HeddleError({ code, reason: 'ASKED_FOR', message: error.message ?? '', details });
}
