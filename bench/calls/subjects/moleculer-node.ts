// One node of a Moleculer cluster over its own TCP transporter. Arguments: its name, then `name=host:port` of all nodes.
// `client` calls the others, balanced by Moleculer's registry, with its timeout, retry, breaker, metrics and tracing on.
import { ServiceBroker } from 'moleculer';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';

const [name = '', ...nodes] = process.argv.slice(2);
const isClient = name === 'client';
const urls = nodes.map((node) => {
  const [id = '', address = ''] = node.split('=');
  return `tcp://${address}/${id}`;
});
const broker = new ServiceBroker({
  nodeID: name,
  logger: false,
  transporter: { type: 'TCP', options: { udpDiscovery: false, urls: urls as unknown as string } },
  requestTimeout: 5000,
  retryPolicy: { enabled: isClient, retries: 2 },
  circuitBreaker: { enabled: isClient },
  metrics: isClient,
  tracing: isClient,
});
if (!isClient)
  broker.createService({
    name: 'echo',
    actions: { unary: (context: { params: unknown }) => context.params },
  });
await broker.start();
const params = { body: unaryMessage.subarray(2).toString('latin1') };

async function call(): Promise<void> {
  const { body } = await broker.call<typeof params, typeof params>('echo.unary', params);
  if (body.length !== unaryMessage.length - 2) throw new Error('not an echo');
}

if (isClient) await broker.waitForServices('echo', 20_000);
announce(0, isClient ? callsAtOnce(call) : {});
