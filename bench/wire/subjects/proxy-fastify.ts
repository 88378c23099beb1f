import type { AddressInfo } from 'node:net';
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { announce } from './announce.ts';

const [upstream = ''] = process.argv.slice(2);
const server = fastify();
await server.register(proxy, { upstream: `http://${upstream}` });
await server.listen({ host: '127.0.0.1', port: 0 });
announce((server.server.address() as AddressInfo).port);
