// gRPC C++: our echo peer over the library of the Debian archive, compiled here.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { unpack } from './apt.ts';
import { cached, contentKey, fillCache } from './cache.ts';
import { lastWords, run, which } from './command.ts';
import { type Found, isMissing, type Missing, required } from './engine.ts';
import { type EchoEngine, verifyEcho } from './echo-engine.ts';
import { startPeer } from './peer.ts';

const source = path.join(import.meta.dirname, 'grpc-cpp');
const key = `grpc-cpp-${contentKey(source)}`;
const compileLimitMs = 180_000;

/** The service `bench.Echo` on gRPC C++, messages not decoded. */
export const grpcCpp: EchoEngine = {
  name: 'grpc-cpp',
  find,
  install,
  verify: () => verifyEcho(grpcCpp),
  start: async ({ target, core }) => {
    const { path: command } = await required(grpcCpp);
    const args = target === undefined ? ['server'] : ['client', `${target.host}:${target.port}`];
    const env = { LD_LIBRARY_PATH: libraryFolders(cached('apt-libgrpc++-dev')).join(':') };
    return startPeer({ name: 'grpc-cpp', command, args, env, ...(core !== undefined && { core }) });
  },
};

async function find(): Promise<Found | Missing> {
  const file = path.join(cached(key), 'grpc-cpp');
  if (!existsSync(file)) return { missing: 'grpc-cpp has not been built yet' };
  const [folder = ''] = libraryFolders(cached('apt-libgrpc++-dev'));
  const library = existsSync(folder)
    ? readdirSync(folder).find((name) => /^libgrpc\+\+\.so\.\d+\.\d+\./.test(name))
    : '';
  return { path: file, version: library?.replace('libgrpc++.so.', '') ?? 'unknown' };
}

async function install(): Promise<Found | Missing> {
  const compiler = which('g++') ?? which('clang++');
  if (compiler === undefined)
    return { missing: 'grpc-cpp is compiled here, and this machine has no C++ compiler' };
  const library = await unpack('libgrpc++-dev');
  if (typeof library !== 'string') return isMissing(library) ? library : { missing: 'libgrpc++-dev' };
  try {
    await fillCache(key, async (folder) => {
      const done = await run(compiler, compileArgs(library, path.join(folder, 'grpc-cpp')), {
        timeoutMs: compileLimitMs,
      });
      if (done.code !== 0) throw new Error(lastWords(done.output));
    });
  } catch (error) {
    return { missing: `grpc-cpp does not compile: ${(error as Error).message}` };
  }
  return find();
}

function compileArgs(library: string, to: string): string[] {
  const folders = libraryFolders(library);
  return [
    '-O2',
    '-std=c++17',
    `-I${library}/usr/include`,
    '-o',
    to,
    path.join(source, 'main.cc'),
    // The library's headers call into libraries that it names itself.
    '-Wl,--copy-dt-needed-entries',
    ...folders.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath-link,${folder}`]),
    '-lgrpc++',
    '-lgrpc',
    '-lgpr',
    '-lpthread',
  ];
}

/** The folder of each processor that Debian has, of which one exists. */
function libraryFolders(library: string): string[] {
  const all = path.join(library, 'usr/lib');
  if (!existsSync(all)) return [];
  return readdirSync(all)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => path.join(all, name));
}
