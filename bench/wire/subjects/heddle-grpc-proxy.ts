import { perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { connectHttp2, serveHttp2 } from '../../../packages/wire/src/http2/index.ts';
import { announce } from './announce.ts';

const [host = '', port = ''] = (process.argv[2] ?? '').split(':');
const runtime = nodeRuntime({ name: 'bench' });
const upstream = connectHttp2(await runtime.net.connect({ host, port: Number(port) }), { runtime });
const listener = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
  serveHttp2(connection, (request, call) => perform(upstream.request, request, call.child()), { runtime });
});
announce(listener.address.port);
