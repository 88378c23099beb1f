// The clients and servers of others, as their users have them, with ours at the other end: each test of these files is a case.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import type { Contract, ContractResult } from '../result.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const tests = path.join(root, 'packages', 'rpc', 'src');

/** Connect's own clients for Node and for browsers: Connect, gRPC-Web and gRPC, over HTTP/1.1 and HTTP/2. */
export const connectClients: Contract = fromTests('connect-node and connect-web', '@connectrpc/connect', [
  'protocols.it.test.ts',
]);

/** grpc-js at either end: its client against our server, ours against its server. The numbered interop cases: `contracts wire`. */
export const grpcJs: Contract = fromTests('grpc-js', '@grpc/grpc-js', [
  'interop-client.it.test.ts',
  'interop-server.it.test.ts',
]);

function fromTests(backend: string, packageName: string, files: readonly string[]): Contract {
  return {
    backend,
    run: async (only = () => true) => {
      const version = versionOf(packageName);
      const results: ContractResult[] = [];
      const events = run({
        files: files.map((file) => path.join(tests, file)),
        execArgv: ['--conditions=@heddle/source'],
        concurrency: 1,
      });
      for await (const { type, data } of events) {
        // What has tests within, or is a file, is no case of its own.
        if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type !== 'test') continue;
        if (!only(data.name)) continue;
        const error = type === 'test:fail' ? data.details.error : undefined;
        results.push({
          backend,
          version,
          case: data.name,
          status: error === undefined ? 'pass' : 'fail',
          tookMs: data.details.duration_ms,
          ...(error !== undefined && { detail: String(error.cause ?? error.message) }),
        });
      }
      if (results.length === 0) throw new Error(`${files.join(', ')}: no test has run`);
      return results;
    },
  };
}

function versionOf(packageName: string): string {
  const file = path.join(root, 'node_modules', packageName, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
