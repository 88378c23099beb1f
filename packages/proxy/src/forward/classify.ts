import { classifyErrors, type Meaning, type Result } from '@heddle/kernel';
import { classifyHttp, type HttpRequest, type HttpResponse, readGrpcStatus } from '@heddle/wire';

/**
 * What an answer means: as `classifyHttp`, but for gRPC answers that are nothing but a status, which HTTP calls 200.
 * A status that comes after messages says nothing here: then it is too late to try elsewhere.
 */
export function classifyAnswer(req: HttpRequest, result: Result<HttpResponse>): Meaning {
  if (!result.ok || !result.value.fields.has('grpc-status')) return classifyHttp(req, result);
  const error = readGrpcStatus(result.value.fields, result.value.status);
  return error === undefined ? 'success' : classifyErrors(req, { ok: false, error });
}
