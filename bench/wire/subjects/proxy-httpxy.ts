import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'httpxy';
import { announce } from './announce.ts';

const [upstream = ''] = process.argv.slice(2);
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }) });
const server = createServer((request, response) => {
  void proxy.web(request, response, { target: `http://${upstream}` });
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
