import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import { announce } from './announce.ts';

const [upstream = ''] = process.argv.slice(2);
const proxy = createProxyServer({ target: `http://${upstream}`, agent: new Agent({ keepAlive: true }) });
const server = createServer((request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
