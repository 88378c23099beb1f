export {
  approved,
  brokenBy,
  type BrokenConsumer,
  type CatalogueEntry,
  type CatalogueVerdict,
  type CatalogueVersion,
  type ConsumerUse,
  offered,
  type OfferedContract,
  type QuarantineRecord,
} from './catalogue/catalogue-entry.ts';
export { type FoundOperation, searchCatalogue } from './catalogue/search.ts';
export { docsPage } from './page/docs-page.ts';
export { type HttpTried, type HttpTry, httpTryRequest, tryHttp } from './call/http-try.ts';
export { type RpcTryOptions, tryRpc } from './call/rpc-try.ts';
export type { ChangeLevel, ContractChange } from './change/contract-change.ts';
export { contractChanges } from './change/contract-changes.ts';
export type { ProtoCategory, ProtoRule } from './change/proto-rules.ts';
export { httpClientSource } from './client/http-client-source.ts';
export { messageClientSource } from './client/message-client-source.ts';
export { collected, type CollectOptions } from './collect/collected.ts';
export { reflected, type ReflectedOptions } from './collect/reflected.ts';
export { type Consumption, type Contract, contractHash, readContract } from './contract/contract.ts';
export { contractAnswer, contractKey, contractPath } from './contract/contract-service.ts';
export { descriptorsOf, encodeDescriptors, readDescriptors, rpcServices } from './contract/descriptors.ts';
export {
  type HttpAnswer,
  httpContract,
  type HttpContractInit,
  type HttpOperation,
  type HttpParameter,
} from './contract/http-contract.ts';
export type { Json, JsonObject } from './contract/json.ts';
export { messageContract, type MessageContractInit, type TopicUse } from './contract/message-contract.ts';
export { type JsonSchema, type SchemaLike, type StandardJsonSchema } from './contract/schema.ts';
export { schemaCheck, type SchemaCheck } from './contract/schema-check.ts';
export { chosenMedia } from './contract/media.ts';
export type { SchemaSide } from './contract/plain-schema.ts';
export { messageExample } from './example/message-example.ts';
export { exampleIn, schemaExample } from './example/schema-example.ts';
export { mockService } from './mock/mock-service.ts';
export type {
  HttpOperationIn,
  MessageOperationIn,
  Operation,
  RpcOperationIn,
} from './operation/operation.ts';
export { operationsOf } from './operation/operations.ts';
export { payloadExample, snippet, type SnippetLanguage, snippetLanguages } from './snippet/snippet.ts';
