import { createSocket } from 'node:dgram';
import { type Address, HeddleError } from '@heddle/kernel';

/** A port that takes datagrams. */
export interface UdpServer {
  /** With the port that was chosen. */
  readonly address: Address;
  close(): void;
}

/** Takes one; `reply` sends one back to where it came from. Must not throw. */
export type TakeDatagram = (datagram: Uint8Array, reply: (answer: Uint8Array) => void) => void;

/** Takes datagrams at an address, which is an IP literal. Rejects with `failed_precondition`, as `Net.listen` does. */
export function udpServer({ host, port }: Address, take: TakeDatagram): Promise<UdpServer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EACCES' ? 'ADDRESS_DENIED' : 'ADDRESS_NOT_AVAILABLE';
      const message = `taking datagrams at ${host}:${port}: ${cause.message}`;
      reject(new HeddleError({ code: 'failed_precondition', reason, message, sent: false, cause }));
    });
    socket.on('message', (datagram, from) => {
      take(datagram, (answer) => socket.send(answer, from.port, from.address, () => undefined));
    });
    socket.bind(port, host, () => {
      // A datagram that could not be sent is one that got lost on its way.
      socket.removeAllListeners('error').on('error', () => undefined);
      resolve({ address: { host, port: socket.address().port }, close: () => socket.close() });
    });
  });
}
