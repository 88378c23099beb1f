import { HeddleError, type Layer } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, writeGrpcStatus } from '@heddle/wire';
import { errorsToAnswers } from './errors-to-answers.ts';

/** As `errorsToAnswers`, but a call of gRPC is answered in gRPC's own words. For proxies that callers do not know of. */
export const errorsToCallers: Layer<HttpRequest, HttpResponse> = (next) => {
  const plain = errorsToAnswers(next);
  return async (req, call) => {
    if (!isGrpc(req)) return plain(req, call);
    try {
      return await next(req, call);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'internal')
        call.runtime.log('error', 'a call met an internal error', { path: req.path, error });
      return grpcAnswer(error);
    }
  };
};

/** True for a call of gRPC. */
export function isGrpc({ fields }: HttpRequest): boolean {
  return fields.get('content-type')?.startsWith('application/grpc') === true;
}

/** An answer of gRPC that is nothing but a status. */
export function grpcAnswer(error: HeddleError): HttpResponse {
  const fields = Fields.of({ 'content-type': 'application/grpc' });
  return { status: 200, fields: writeGrpcStatus(error, fields), body: emptyBody };
}
