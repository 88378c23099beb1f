import { createSocket } from 'node:dgram';
import { HeddleError } from '@heddle/kernel';
import type { Datagrams } from '../datagrams.ts';

/** UDP of the machine. `host` must be an IP literal. */
export const nodeDatagrams: Datagrams = (query, { host, port }, expected, call) => {
  call.throwIfCancelled();
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (settle: () => void): void => {
      stopListening();
      socket.removeAllListeners('message').close();
      settle();
    };
    const stopListening = call.onCancel((error) => finish(() => reject(error)));
    socket.on('error', (cause) => {
      const message = `the DNS server at ${host}:${port} cannot be asked: ${cause.message}`;
      const error = new HeddleError({ code: 'unavailable', reason: 'DNS_UNREACHABLE', message, cause });
      socket.removeAllListeners('error').on('error', () => {});
      finish(() => reject(error));
    });
    socket.on('message', (reply) => {
      if (expected(reply)) finish(() => resolve(reply));
    });
    // Connected: the system passes on what comes from there, and tells when nobody listens.
    socket.connect(port, host, () => socket.send(query));
  });
};
