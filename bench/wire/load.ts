// Load from the generators of others, for a fixed time; an answer that is not a success stops the bench.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lastWords, run } from '../../scripts/engines/command.ts';
import { type Place, required } from '../../scripts/engines/engine.ts';
import { h2load } from '../../scripts/engines/nghttp2.ts';
import { pinned } from '../../scripts/engines/running.ts';
import { wrk } from '../../scripts/engines/wrk.ts';
import { coreOfLoad } from './contender.ts';
import { framed } from './payload.ts';

/** What one run of load has done. */
export interface Done {
  readonly calls: number;
  readonly elapsedMs: number;
}

/** How a gRPC method is called. */
export interface GrpcLoad {
  readonly method: string;
  readonly message: Uint8Array;
  readonly connections: number;
  /** On each connection. */
  readonly inFlight: number;
}

/** Calls a gRPC method for `durationMs`, by h2load. */
export async function loadGrpc(address: Place, load: GrpcLoad, durationMs: number): Promise<Done> {
  const { path: program } = await required(h2load);
  const body = path.join(tmpdir(), `heddle-bench-${process.pid}-${load.method}.bin`);
  writeFileSync(body, framed(load.message));
  const args = [
    `--clients=${load.connections}`,
    `--max-concurrent-streams=${load.inFlight}`,
    `--duration=${wholeSeconds(durationMs)}`,
    `--data=${body}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `http://${address.host}:${address.port}/bench.Echo/${load.method}`,
  ];
  const output = await generate(program, args, durationMs);
  const counted = /^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed/m.exec(
    output,
  );
  const elapsed = /^finished in ([\d.]+)(us|ms|s),/m.exec(output);
  const [, done = '0', succeeded = '0'] = counted ?? [];
  // Calls in flight at the end count as failed, and as nothing else.
  if (
    counted === null ||
    elapsed === null ||
    Number(succeeded) === 0 ||
    done !== succeeded ||
    !/ 0 4xx, 0 5xx/.test(output)
  )
    throw new Error(`h2load was not content: ${lastWords(output)}`);
  // A refusal of gRPC is a success of HTTP, without a message.
  const data = Number(/\((\d+)\) data$/m.exec(output)?.[1] ?? Number.NaN);
  if (load.method === 'Unary' && !(data >= Number(succeeded) * framed(load.message).byteLength * 0.99))
    throw new Error(`answers without their messages: ${lastWords(output)}`);
  return { calls: Number(succeeded), elapsedMs: Number(elapsed[1]) * msOf(elapsed[2] as string) };
}

/** Gets `path` over 64 kept connections for `durationMs`, by wrk. */
export async function loadHttp(address: Place, target: string, durationMs: number): Promise<Done> {
  const { path: program } = await required(wrk);
  const url = `http://${address.host}:${address.port}${target}`;
  const output = await generate(program, ['-t1', '-c64', `-d${wholeSeconds(durationMs)}s`, url], durationMs);
  const counted = /^\s*(\d+) requests in ([\d.]+)s/m.exec(output);
  if (counted === null || Number(counted[1]) === 0 || /Non-2xx|Socket errors/.test(output))
    throw new Error(`wrk was not content: ${lastWords(output)}`);
  return { calls: Number(counted[1]), elapsedMs: Number(counted[2]) * 1000 };
}

async function generate(program: string, args: readonly string[], durationMs: number): Promise<string> {
  const [command, all] = pinned(program, args, coreOfLoad());
  const ended = await run(command, all, { timeoutMs: durationMs + 30_000 });
  if (ended.code !== 0) throw new Error(`${program} ended with ${ended.code}: ${lastWords(ended.output)}`);
  return ended.output;
}

/** Both generators count in them. */
function wholeSeconds(durationMs: number): number {
  return Math.max(1, Math.round(durationMs / 1000));
}

function msOf(unit: string): number {
  return unit === 's' ? 1000 : unit === 'ms' ? 1 : 0.001;
}
