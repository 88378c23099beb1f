import { perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint, serve } from '@heddle/wire';
import { announce } from './announce.ts';

const [host = '', port = ''] = (process.argv[2] ?? '').split(':');
const runtime = nodeRuntime({ name: 'bench' });
const upstream = endpoint({ runtime, address: { host, port: Number(port) }, protocol: 'http2' });
const server = await serve((request, call) => perform(upstream.request, request, call.child()), {
  runtime,
  address: { host: '127.0.0.1', port: 0 },
});
announce(server.address.port);
