import {
  type Contract,
  httpClientSource,
  messageClientSource,
  mockService,
  operationsOf,
  readDescriptors,
  snippet,
  type SnippetLanguage,
  snippetLanguages,
} from '@heddle/api';
import { httpServer } from '@heddle/rpc';
import { exitCodes, usageError } from '../command.ts';
import { protocGenEs } from '../node/protoc-gen-es.ts';
import { writeFiles } from '../node/contract-file.ts';
import { runServer } from '../node/run-server.ts';
import { type ApiVerb, contractOf, wordsOf } from './api-asked.ts';
import { operationIn } from './try-operation.ts';

/** The verbs that make something of a contract. */
export const makeVerbs: Readonly<Record<string, ApiVerb>> = {
  mock: async (asked) => {
    const [name = ''] = wordsOf(asked, 'mock', 'SERVICE|FILE');
    const { runtime, given, world } = asked;
    const contract = await contractOf(asked, name);
    const address = { host: '127.0.0.1', port: given.port('port', 0) };
    const server = httpServer(mockService(contract), { runtime, address });
    return runServer({ name: 'mock', runtime, parts: [server], propagationMs: 0 }, world, () => {
      const url = `http://127.0.0.1:${server.address.port}`;
      world.terminal.out(`a mock of ${name} with ${operationsOf(contract).length} operations at ${url}\n`);
      return { url };
    });
  },
  snippet: async (asked) => {
    const [name = '', id = ''] = wordsOf(asked, 'snippet', 'SERVICE|FILE', 'OPERATION');
    const contract = await contractOf(asked, name);
    const operation = operationIn(contract, id);
    const languages = snippetLanguages(operation);
    const wanted = (asked.given.text('lang') ?? languages[0]) as SnippetLanguage;
    const text = snippet(contract, operation, wanted, asked.given.text('base') ?? 'http://127.0.0.1:8080');
    if (text === undefined)
      throw usageError(`--lang expects one of ${languages.join(', ')} here, found "${wanted}"`);
    asked.world.terminal.out(`${text.replace('api call SERVICE', `api call ${name}`)}\n`);
    return exitCodes.done;
  },
  client: async (asked) => {
    const [name = ''] = wordsOf(asked, 'client', 'SERVICE|FILE');
    const folder = asked.given.text('out');
    if (folder === undefined) throw usageError('"heddle api client" needs --out DIR');
    const files = await clientFiles(await contractOf(asked, name));
    if (Object.keys(files).length === 0) throw usageError(`${name} has nothing that a client could call`);
    writeFiles(folder, files);
    for (const file of Object.keys(files)) asked.world.terminal.out(`${file}\n`);
    return exitCodes.done;
  },
};

async function clientFiles({ openapi, asyncapi, descriptors }: Contract): Promise<Record<string, string>> {
  return {
    ...(openapi !== undefined && { 'http-client.ts': httpClientSource(openapi) }),
    ...(asyncapi !== undefined && { 'messages.ts': messageClientSource(asyncapi) }),
    ...(descriptors !== undefined && (await rpcFiles(descriptors))),
  };
}

function rpcFiles(descriptors: string): Promise<Record<string, string>> {
  return protocGenEs([...readDescriptors(descriptors).files].map(({ proto }) => proto));
}
