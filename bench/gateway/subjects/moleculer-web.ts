// Moleculer's gateway: a route to an action, which asks the upstream over kept connections.
import { Agent, request } from 'node:http';
import { ServiceBroker } from 'moleculer';
import ApiService from 'moleculer-web';
import { freePort } from '../../../scripts/engines/running.ts';
import { announce } from '../../wire/subjects/announce.ts';

const [upstream = ''] = process.argv.slice(2);
const [host = '', backend = ''] = upstream.split(':');
const agent = new Agent({ keepAlive: true });
const port = await freePort();
const broker = new ServiceBroker({ logger: false, nodeID: 'bench' });

broker.createService({
  name: 'shop',
  actions: {
    get: (context: { params: { size: string } }) =>
      new Promise<string>((resolve, reject) => {
        const sent = request(
          { host, port: Number(backend), path: `/${context.params.size}`, agent },
          (answer) => {
            let text = '';
            answer.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
            answer.on('end', () => resolve(text));
          },
        );
        sent.on('error', reject).end();
      }),
  },
});
broker.createService({
  name: 'api',
  mixins: [ApiService],
  settings: {
    ip: '127.0.0.1',
    port,
    routes: [
      {
        path: '/',
        aliases: { 'GET :size': 'shop.get' },
        onAfterCall: (
          context: { meta: Record<string, unknown> },
          _route: unknown,
          _req: unknown,
          _res: unknown,
          data: unknown,
        ) => {
          context.meta['$responseType'] = 'text/plain';
          return data;
        },
      },
    ],
  },
});
await broker.start();
announce(port);
