import {
  chosenMedia,
  type Contract,
  exampleIn,
  type HttpOperationIn,
  type Json,
  type JsonObject,
  type MessageOperationIn,
  messageExample,
  type Operation,
  payloadExample,
  type RpcOperationIn,
  type SchemaSide,
  snippet,
  snippetLanguages,
} from '@heddle/api';

/** What one operation takes and gives, with examples, and lines that call it. `base`: `http://host:port`. */
export function operationDocs(
  contract: Contract,
  operation: Operation,
  service: string,
  base: string,
): object {
  const { id, kind, summary } = operation;
  const snippets = snippetLanguages(operation).flatMap((language) => {
    const lines = snippet(contract, operation, language, base);
    return lines === undefined
      ? []
      : [{ language, lines: lines.replace('api call SERVICE', `api call ${service}`) }];
  });
  return { id, kind, summary, snippets, ...partsOf(contract, operation) };
}

function partsOf(contract: Contract, operation: Operation): object {
  switch (operation.kind) {
    case 'http':
      return httpParts(contract.openapi ?? {}, operation);
    case 'grpc':
      return rpcParts(operation);
    case 'message':
      return messageParts(contract.asyncapi ?? {}, operation);
  }
}

function httpParts(document: JsonObject, { parameters, body, answers }: HttpOperationIn): object {
  return {
    parameters: parameters.map((one) => ({
      name: one['name'],
      in: one['in'],
      required: one['required'] === true || one['in'] === 'path',
      description: one['description'] ?? '',
      example: exampleIn(document, one, 'request'),
    })),
    takes: body === undefined ? [] : [mediaExample(document, body, 'request')],
    gives: answers.map(([status, answer]) => ({
      name: status,
      description: answer['description'] ?? '',
      example: mediaExample(document, answer, 'response').example,
    })),
  };
}

/** Of the media type that is shown. */
function mediaExample(
  document: JsonObject,
  holder: JsonObject,
  side: SchemaSide,
): { name: string; example: Json | null } {
  const [name, media] = chosenMedia(holder) ?? ['', undefined];
  return { name, example: media === undefined ? null : exampleIn(document, media, side) };
}

function rpcParts({ method }: RpcOperationIn): object {
  const { input, output, methodKind } = method;
  return {
    pattern: methodKind,
    takes: [{ name: input.typeName, example: messageExample(input) }],
    gives: [{ name: output.typeName, example: messageExample(output) }],
  };
}

function messageParts(document: JsonObject, { action, address, messages }: MessageOperationIn): object {
  const examples = messages.map(([name, message]) => ({ name, example: payloadExample(document, message) }));
  const takes = action === 'receive' ? examples : [];
  return { pattern: action, address, takes, gives: action === 'send' ? examples : [] };
}
