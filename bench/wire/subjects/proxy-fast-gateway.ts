import type { AddressInfo } from 'node:net';
import gateway from 'fast-gateway';
import { announce } from './announce.ts';

const [upstream = ''] = process.argv.slice(2);
const service = gateway({ routes: [{ prefix: '', target: `http://${upstream}` }] });
const server = await service.start(0, '127.0.0.1');
announce((server.address() as AddressInfo).port);
