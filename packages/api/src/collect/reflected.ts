import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { HeddleError } from '@heddle/kernel';
import { createClient, type RpcTransport, ServerReflection } from '@heddle/rpc';
import { encodeDescriptors, isInfrastructure } from '../contract/descriptors.ts';
import type { Contract } from '../contract/contract.ts';

/** How to ask. */
export interface ReflectedOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
}

/**
 * What a server says by `grpc.reflection.v1` that it serves, with all files that are needed to read it, those it depends
 * on first. Rejects with `unimplemented` where it has no reflection.
 */
export async function reflected(
  transport: RpcTransport,
  { timeoutMs = 5000 }: ReflectedOptions = {},
): Promise<Pick<Contract, 'descriptors' | 'services'>> {
  const asking = new Asking(transport, timeoutMs);
  try {
    const services = (await asking.services()).filter((name) => !isInfrastructure(name));
    const files = new Map<string, FileDescriptorProto>();
    const keep = (found: readonly FileDescriptorProto[]): void => {
      for (const file of found) files.set(file.name, file);
    };
    for (const service of services)
      keep(await asking.files({ case: 'fileContainingSymbol', value: service }));
    // A server may leave it to us to ask for what a file imports.
    for (let missing = missingIn(files); missing.length > 0; missing = missingIn(files))
      for (const name of missing) keep(await asking.files({ case: 'fileByFilename', value: name }));
    return { descriptors: encodeDescriptors(inOrder(files)), services };
  } finally {
    asking.end();
  }
}

type Question =
  | { readonly case: 'listServices'; readonly value: string }
  | { readonly case: 'fileContainingSymbol'; readonly value: string }
  | { readonly case: 'fileByFilename'; readonly value: string };

/** One stream of questions, each asked when the one before is answered. */
class Asking {
  readonly #questions: Question[] = [];
  #wake = (): void => {};
  #ended = false;
  readonly #answers: AsyncIterator<{
    readonly messageResponse: { case?: string | undefined; value?: unknown };
  }>;

  constructor(transport: RpcTransport, timeoutMs: number) {
    const client = createClient(ServerReflection, transport);
    const answers = client.serverReflectionInfo(this.#stream(), { timeoutMs });
    this.#answers = answers[Symbol.asyncIterator]();
  }

  async services(): Promise<readonly string[]> {
    const answer = await this.#ask({ case: 'listServices', value: '' }, 'listServicesResponse');
    return (answer as { readonly service: readonly { readonly name: string }[] }).service.map(
      ({ name }) => name,
    );
  }

  async files(question: Question): Promise<readonly FileDescriptorProto[]> {
    const answer = await this.#ask(question, 'fileDescriptorResponse');
    const { fileDescriptorProto } = answer as { readonly fileDescriptorProto: readonly Uint8Array[] };
    return fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  }

  end(): void {
    this.#ended = true;
    this.#wake();
    void this.#answers.return?.().catch(() => undefined);
  }

  async #ask(question: Question, expected: string): Promise<unknown> {
    this.#questions.push(question);
    this.#wake();
    const { value, done = false } = await this.#answers.next();
    const { case: kind, value: answer } = done ? {} : value.messageResponse;
    if (kind === expected) return answer;
    const why =
      (answer as { readonly errorMessage?: string } | undefined)?.errorMessage ?? 'the stream ended';
    const message = `reflection, ${question.case} "${question.value}": ${why}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'REFLECTION_FAILED', message });
  }

  async *#stream(): AsyncGenerator<{ messageRequest: Question }, void> {
    while (!this.#ended) {
      const next = this.#questions.shift();
      if (next !== undefined) yield { messageRequest: next };
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function missingIn(files: ReadonlyMap<string, FileDescriptorProto>): string[] {
  const wanted = [...files.values()].flatMap(({ dependency }) => dependency);
  return [...new Set(wanted)].filter((name) => !files.has(name));
}

function inOrder(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Map<string, FileDescriptorProto>();
  const add = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || ordered.has(name)) return;
    // Files cannot import each other in a circle.
    for (const dependency of file.dependency) add(dependency);
    ordered.set(name, file);
  };
  for (const name of [...files.keys()].toSorted()) add(name);
  return [...ordered.values()];
}
