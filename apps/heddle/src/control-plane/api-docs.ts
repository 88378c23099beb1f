import {
  type Contract,
  type HttpOperationIn,
  type Json,
  type JsonObject,
  type MessageOperationIn,
  messageExample,
  type Operation,
  type RpcOperationIn,
  schemaExample,
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
      example: one['example'] ?? told(document, one['schema']),
    })),
    takes: body === undefined ? [] : [mediaExample(document, body)],
    gives: answers.map(([status, answer]) => ({
      name: status,
      description: answer['description'] ?? '',
      example: mediaExample(document, answer).example,
    })),
  };
}

/** Of the first media type that a content has. */
/** The example of a parameter; null rather than the word that stands for any text: who tries it would ask for that. */
function told(document: JsonObject, schema: Json | undefined): Json | null {
  const example = schemaExample(document, schema);
  return example === 'text' ? null : example;
}

function mediaExample(document: JsonObject, holder: JsonObject): { name: string; example: Json | null } {
  const [first] = Object.entries((holder['content'] ?? {}) as Record<string, JsonObject>);
  if (first === undefined) return { name: '', example: null };
  const [name, media] = first;
  return { name, example: media['example'] ?? schemaExample(document, media['schema']) };
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
  const examples = messages.map(([name, message]) => ({ name, example: payloadOf(document, message) }));
  const takes = action === 'receive' ? examples : [];
  return { pattern: action, address, takes, gives: action === 'send' ? examples : [] };
}

function payloadOf(document: JsonObject, message: JsonObject): Json {
  const [first] = (Array.isArray(message['examples']) ? message['examples'] : []) as readonly JsonObject[];
  return first?.['payload'] ?? schemaExample(document, message['payload']);
}
