import type { Address, Connection, Listener, Net } from '@heddle/kernel';

/** A proxy between clients and one server, which can fail as a network does. */
export interface TcpProxy {
  readonly address: Address;
  /** Lets no byte through any more, in either direction, and nobody in; tells nobody. */
  readonly cut: () => void;
  /** Ends `cut`, and breaks the connections that were open then. */
  readonly heal: () => void;
  /** Delays what the server says, from now on. */
  readonly delay: (delayMs: number) => void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Connection;
  far: Connection | undefined;
  silenced: boolean;
}

/** Starts one on a free port. `later` runs a task after a delay; `onAccept` hears of each connection. */
export async function tcpProxy(
  net: Net,
  target: () => Address,
  later: (delayMs: number, task: () => void) => void,
  onAccept?: () => void,
): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let isCut = false;
  let delayMs = 0;
  const accept = (near: Connection): void => {
    onAccept?.();
    const pair: Pair = { near, far: undefined, silenced: isCut };
    pairs.add(pair);
    const waiting: Uint8Array[] = [];
    let ended = false;
    near.open({
      data: (chunk) => {
        if (pair.silenced) return;
        if (pair.far === undefined) waiting.push(chunk);
        else pair.far.write(chunk);
      },
      end: () => {
        ended = true;
        if (!pair.silenced) pair.far?.end();
      },
      drain: () => {},
      close: () => {
        pairs.delete(pair);
        pair.far?.destroy();
      },
    });
    if (isCut) return;
    const answer = (chunk: Uint8Array): void => {
      if (!pair.silenced) near.write(chunk);
    };
    net.connect(target()).then(
      (far) => {
        pair.far = far;
        far.open({
          data: (chunk) => (delayMs === 0 ? answer(chunk) : later(delayMs, () => answer(chunk))),
          end: () => pair.silenced || near.end(),
          drain: () => {},
          close: () => pair.silenced || near.destroy(),
        });
        for (const chunk of waiting) far.write(chunk);
        if (ended) far.end();
      },
      () => near.destroy(),
    );
  };
  const listener: Listener = await net.listen({ host: '127.0.0.1', port: 0 }, accept);
  return {
    address: listener.address,
    cut: () => {
      isCut = true;
      for (const pair of pairs) pair.silenced = true;
    },
    heal: () => {
      isCut = false;
      for (const { near, far, silenced } of pairs) {
        if (!silenced) continue;
        near.destroy();
        far?.destroy();
      }
    },
    delay: (ms) => {
      delayMs = ms;
    },
    close: async () => {
      await listener.close();
      for (const { near, far } of pairs) {
        near.destroy();
        far?.destroy();
      }
    },
  };
}
