import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';

/** One question and its answer by TCP: each with its length in two bytes before it (RFC 1035 section 4.2.2). */
export async function exchangeByTcp(
  runtime: Runtime,
  server: Address,
  query: Uint8Array,
  call: Call,
): Promise<Uint8Array> {
  const connection = await runtime.net.connect(server, { timeoutMs: Math.max(1, call.remainingMs()) });
  return new Promise((resolve, reject) => {
    let received = new Uint8Array(0);
    const stopListening = call.onCancel((error) => {
      reject(error);
      connection.destroy();
    });
    connection.open({
      data: (chunk) => {
        received = Uint8Array.from([...received, ...chunk]);
        const size = received.length < 2 ? undefined : (received[0] ?? 0) * 256 + (received[1] ?? 0);
        if (size === undefined || received.length < 2 + size) return;
        stopListening();
        resolve(received.subarray(2, 2 + size));
        connection.destroy();
      },
      end: () => connection.destroy(),
      drain: () => {},
      close: () => {
        stopListening();
        const message = `the DNS server at ${server.host}:${server.port} closed the connection without a whole answer`;
        reject(new HeddleError({ code: 'unavailable', reason: 'DNS_CUT_OFF', message }));
      },
    });
    connection.write(Uint8Array.from([query.length >>> 8, query.length & 0xff, ...query]));
  });
}
