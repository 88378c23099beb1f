// A gRPC server of grpc-js, from the proto file that the descriptors are made of.
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { root } from '../../../files.ts';

const folder = path.join(root, 'packages', 'proxy', 'src', 'testdata', 'shelf');

/** The file with the descriptors. */
export const descriptorFile: string = path.join(folder, 'shelf.binpb');

interface Book {
  readonly name: string;
  readonly title?: string;
  readonly pages?: string;
}

type Unary<Req> = grpc.ServerUnaryCall<Req, unknown>;
type Reply = grpc.sendUnaryData<unknown>;

/** The service as grpc-js knows it. */
export const shelves: grpc.ServiceClientConstructor = (
  grpc.loadPackageDefinition(
    loadSync('shelf.proto', {
      includeDirs: [folder],
      keepCase: true,
      longs: String,
      enums: String,
      defaults: true,
    }),
  ) as unknown as { shelf: { v1: { Shelves: grpc.ServiceClientConstructor } } }
).shelf.v1.Shelves;

/** Serves it on a free port; `stop` drops everything. */
export async function startShelfServer(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = new grpc.Server();
  server.addService(shelves.service, {
    GetBook: (call: Unary<{ name: string }>, reply: Reply) => {
      const { name } = call.request;
      if (name.endsWith('missing')) reply(failure(grpc.status.NOT_FOUND, `no book ${name}`));
      else if (name.endsWith('hidden')) reply(failure(grpc.status.PERMISSION_DENIED, 'not for you'));
      else if (name.endsWith('broken')) reply(failure(grpc.status.INTERNAL, 'a secret of the inside'));
      else
        reply(null, {
          name,
          title: `asked by ${String(call.metadata.get('x-who'))}`,
          pages: '9007199254740993',
        });
    },
    ListBooks: ({ request }: Unary<{ shelf: string; page_size: number }>, reply: Reply) => {
      const books = Array.from({ length: request.page_size }, (_, at) => ({
        name: `${request.shelf}/${at}`,
      }));
      reply(null, { books });
    },
    CreateBook: ({ request }: Unary<{ shelf: string; book: Book; book_id: string }>, reply: Reply) => {
      reply(null, { ...request.book, name: `shelves/${request.shelf}/books/${request.book_id}` });
    },
    UpdateBook: ({ request }: Unary<Book>, reply: Reply) => reply(null, request),
    DeleteBook: (_call: unknown, reply: Reply) => reply(null, {}),
    ArchiveBook: ({ request }: Unary<{ name: string }>, reply: Reply) =>
      reply(null, { name: request.name, title: 'archived' }),
    SearchBooks: ({ request }: Unary<object>, reply: Reply) => reply(null, request),
    WatchShelf: (
      call: grpc.ServerWritableStream<{ shelf: string; count: number; fail: boolean }, unknown>,
    ) => {
      const { shelf, count, fail } = call.request;
      for (let at = 0; at < count; at++) call.write({ name: `${shelf}/${at}` });
      if (fail) call.emit('error', failure(grpc.status.ABORTED, 'the shelf fell'));
      else call.end();
    },
    Upload: (call: grpc.ServerReadableStream<Book, unknown>, reply: Reply) => {
      let count = 0;
      call.on('data', () => count++).on('end', () => reply(null, { name: `got ${count}` }));
    },
    Chat: (call: grpc.ServerDuplexStream<Book, unknown>) => {
      call.on('data', ({ name, title }: Book) => call.write({ name, title: `re: ${title}` }));
      call.on('end', () => call.end());
    },
    GetCover: ({ request }: Unary<{ name: string }>, reply: Reply) => {
      reply(null, { content_type: 'image/png', data: Buffer.from(`cover of ${request.name}`) });
    },
    SetCover: (
      { request: { name, cover } }: Unary<{ name: string; cover: { content_type: string; data: Buffer } }>,
      reply: Reply,
    ) => reply(null, { name, title: cover.content_type, cover: cover.data }),
    ReadBook: (call: grpc.ServerWritableStream<{ name: string }, unknown>) => {
      for (const text of ['It was ', 'a dark ', 'night'])
        call.write({ content_type: 'text/plain', data: Buffer.from(text) });
      call.end();
    },
    Hidden: ({ request }: Unary<Book>, reply: Reply) => reply(null, request),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, stop: () => server.forceShutdown() };
}

function failure(code: grpc.status, details: string): Partial<grpc.StatusObject> & Error {
  return Object.assign(new Error(details), { code, details, metadata: new grpc.Metadata() });
}
