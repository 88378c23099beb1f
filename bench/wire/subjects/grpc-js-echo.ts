import type { ServiceDefinition } from '@grpc/grpc-js';

const same = (message: Buffer): Buffer => message;
const raw = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
  requestStream: false,
};

/** The service of the bench for grpc-js, messages not decoded. */
export const echo: ServiceDefinition = {
  Unary: { ...raw, path: '/bench.Echo/Unary', responseStream: false },
  ServerStream: { ...raw, path: '/bench.Echo/ServerStream', responseStream: true },
};
