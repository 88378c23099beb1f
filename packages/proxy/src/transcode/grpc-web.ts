import { HeddleError, type Layer } from '@heddle/kernel';
import {
  base64Body,
  type Body,
  encodeBase64,
  Fields,
  type HttpRequest,
  type HttpResponse,
  streamBody,
  webTrailers,
} from '@heddle/wire';

const webType = /^application\/grpc-web(-text)?(\+[\w.-]+)?\s*(;|$)/;

/**
 * Speaks gRPC-Web to browsers before an upstream that speaks gRPC (grpc/grpc `doc/PROTOCOL-WEB.md`): the trailers go
 * into the body, and both ways into base64 where the text form is asked for. All else passes as it is.
 */
export const grpcWeb: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  const found = webType.exec(req.fields.get('content-type') ?? '');
  if (found === null) return next(req, call);
  const [, isText, format = '+proto'] = found;
  const fields = req.fields.clone().set('content-type', `application/grpc${format}`).set('te', 'trailers');
  // Browsers cannot decompress the messages of a body.
  for (const name of ['x-grpc-web', 'accept-encoding', 'grpc-accept-encoding', 'content-length'])
    fields.delete(name);
  const body = isText === undefined ? req.body : base64Body(req.body);
  const res = await next({ ...req, fields, body }, call);
  const type = res.fields.get('content-type') ?? '';
  if (!type.startsWith('application/grpc') || type.startsWith('application/grpc-web')) return res;
  const answer = headOf(res.fields);
  answer.set('content-type', `application/grpc-web${isText ?? ''}${format}`);
  return { status: res.status, fields: answer, body: webBody(res, isText !== undefined) };
};

/** The status of an answer that is nothing but trailers goes into the body, as that of all others. */
function headOf(fields: Fields): Fields {
  const kept = new Fields();
  for (const [name, value] of fields)
    if (name !== 'content-length' && name !== 'trailer' && !isStatus(name)) kept.append(name, value);
  return kept;
}

function isStatus(name: string): boolean {
  return name === 'grpc-status' || name === 'grpc-message' || name === 'grpc-status-details-bin';
}

function webBody(res: HttpResponse, asText: boolean): Body {
  const piece = (bytes: Uint8Array): Uint8Array => (asText ? encodeBase64(bytes) : bytes);
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of res.body) yield piece(chunk);
    const trailers = res.body.trailers ?? statusIn(res.fields);
    if (!trailers.has('grpc-status')) throw noStatus();
    yield piece(webTrailers(trailers));
  };
  return streamBody(chunks());
}

function statusIn(fields: Fields): Fields {
  return new Fields([...fields].filter(([name]) => isStatus(name)).flat());
}

function noStatus(): HeddleError {
  const message = 'the upstream ended its answer without a status';
  return new HeddleError({ code: 'internal', reason: 'NO_GRPC_STATUS', message });
}
