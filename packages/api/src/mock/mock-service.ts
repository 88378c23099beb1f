import type { HttpRequest, HttpService } from '@heddle/wire';
import { rpcService, serveReflection } from '@heddle/rpc';
import type { Contract } from '../contract/contract.ts';
import { rpcServices } from '../contract/descriptors.ts';
import { mockHttp } from './mock-http.ts';
import { mockHandlers } from './mock-rpc.ts';

/**
 * A stand-in for a service, made of its contract alone. It takes what the contract takes, refuses what it does not (400
 * with every problem), and answers with the contract's examples, or made-up values that its schemas take. Over HTTP,
 * `prefer: code=404` asks for another answer. gRPC, gRPC-Web and Connect are served beside it, all four patterns, with
 * reflection.
 * Throws `BAD_CONTRACT`.
 */
export function mockService(contract: Contract): HttpService {
  const http = mockHttp(contract.openapi ?? {});
  const services = rpcServices(contract);
  const rpc = rpcService((router) => {
    for (const service of services) router.service(service, mockHandlers(service));
    serveReflection(router);
  });
  return (request, call) => (isRpc(request) ? rpc(request, call) : http(request, call));
}

function isRpc({ fields, path }: HttpRequest): boolean {
  const type = fields.get('content-type') ?? '';
  return /^application\/(grpc|connect)/.test(type) || fields.get('connect-protocol-version') !== undefined
    ? path.split('/').length === 3
    : false;
}
