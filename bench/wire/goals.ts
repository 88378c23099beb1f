// What the wire engine is held to, with every safety limit on: by measurement and peer, how many times better.

/** At least this ratio of the peer's CPU time to ours. */
export const ratioGoals: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'unary-server-c1m100': { 'grpc-js': 10, 'grpc-go': 1.5, 'grpc-cpp': 1.5 },
  'unary-server-c50m1': { 'grpc-js': 5, 'grpc-go': 1.2 },
  'unary-client-c1m100': { 'grpc-js': 15, 'connect-node': 40 },
  'stream-1k': { 'grpc-js': 8, 'grpc-go': 1.5 },
  'grpc-proxy-c1m100': { haproxy: 2 },
  'grpc-proxy-c50m1': { haproxy: 1 },
  'http1-proxy-200': { nginx: 0.9, 'best-node': 4 },
  'http1-proxy-16k': { nginx: 0.9, 'best-node': 4 },
};

/** An idle HTTP/2 connection takes at most this much resident memory. */
export const idleGoalKib = 12;
