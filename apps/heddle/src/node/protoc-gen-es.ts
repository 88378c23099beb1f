import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { HeddleError } from '@heddle/kernel';

/** The TypeScript that `protoc-gen-es` makes of files, by name. Files of Google's are in its own library. */
export async function protocGenEs(files: readonly FileDescriptorProto[]): Promise<Record<string, string>> {
  const request = create(CodeGeneratorRequestSchema, {
    parameter: 'target=ts,import_extension=ts',
    protoFile: [...files],
    fileToGenerate: files.map(({ name }) => name).filter((name) => !name.startsWith('google/protobuf/')),
  });
  const answer = fromBinary(
    CodeGeneratorResponseSchema,
    await piped(toBinary(CodeGeneratorRequestSchema, request)),
  );
  if (answer.error !== '') throw failed(answer.error);
  return Object.fromEntries(answer.file.map(({ name, content }) => [name, content]));
}

function piped(input: Uint8Array): Promise<Buffer> {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@bufbuild/protoc-gen-es/package.json'));
  const child = spawn(process.execPath, [path.join(folder, 'bin', 'protoc-gen-es')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [out, said]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(failed(error.message)));
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(failed(Buffer.concat(said).toString().slice(-500)));
    });
  });
}

function failed(why: string): HeddleError {
  return new HeddleError({ code: 'internal', reason: 'GENERATOR_FAILED', message: `protoc-gen-es: ${why}` });
}
