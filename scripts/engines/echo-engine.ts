// What the gRPC echo peers have in common, in whatever language they are.
import type { Engine, Pinned, Place } from './engine.ts';
import type { Peer } from './peer.ts';

/** What a gRPC echo peer is to be: a server, or a client of one. */
export interface EchoOptions extends Pinned {
  readonly target?: Place;
}

/** An echo peer; as a client it answers `run <ms>` by `calls <n>`, with 100 calls in flight on one connection. */
export interface EchoEngine extends Engine<EchoOptions> {
  start(options: EchoOptions): Promise<Peer>;
}

/** Runs the client for a moment and expects that calls came back. */
export async function verifyEcho(engine: EchoEngine): Promise<void> {
  const server = await engine.start({});
  try {
    const client = await engine.start({ target: server.address });
    try {
      const said = await client.ask('run 100');
      if (!/^calls [1-9]\d*$/.test(said)) throw new Error(`the client says “${said}”`);
    } finally {
      await client.stop();
    }
  } finally {
    await server.stop();
  }
}
