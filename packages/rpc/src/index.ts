export { configured, type ConfiguredOptions } from './client/configured.ts';
export { type Client, type ClientOptions, openClient } from './client/open-client.ts';
export { createTransport, type RpcTransport, type TransportOptions } from './client/create-transport.ts';
export { transportOver, type TransportOverOptions } from './client/transport-over.ts';
export type { HttpVersion, RpcProtocol } from './client/protocol/exchange-for.ts';
export type { RpcRequest, RpcResponse, RpcService } from './client/rpc-call.ts';
export type { ClientStackOptions, LayerOptions, ProtocolOptions } from './client/stack-options.ts';
export { type ClientStack, clientStack } from './client-stack.ts';
export { createClient } from './connect/create-client.ts';
export { within } from './connect/within.ts';
export { HealthBoard } from './health/health-board.ts';
export {
  graphqlClient,
  type GraphqlClient,
  type GraphqlOperation,
  type GraphqlOptions,
} from './http/graphql-client.ts';
export { httpClient } from './http/http-client.ts';
export { jsonClient, type JsonClient, type JsonRequest } from './http/json-client.ts';
export type { StandardSchema } from './http/standard-schema.ts';
export { LoadReporter, type LoadReporterOptions } from './load/load-reporter.ts';
export { serveLoad } from './load/serve-load.ts';
export { ServerReflection } from './gen/grpc/reflection/v1/reflection_pb.ts';
export { serveReflection } from './reflection/serve-reflection.ts';
export { registration, type RegistrationOptions } from './registration.ts';
export type { RpcHandler, RpcHandlers } from './server/handlers.ts';
export { type Metadata, metadata } from './server/metadata.ts';
export {
  httpServer,
  type HttpServerOptions,
  type RpcServer,
  rpcServer,
  type RpcServerOptions,
  type ServerPart,
} from './server/rpc-server.ts';
export { type RpcRouter, rpcService, type RpcServiceOptions } from './server/rpc-service.ts';
export { serverStack, type ServerStackOptions } from './server-stack.ts';
export { detail, findDetails } from './status/details.ts';
export { errorMetadata, type ErrorMetadata } from './status/error-metadata.ts';
