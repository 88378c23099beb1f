// Everything that `node scripts/engines/main.ts` knows of.
import { chromium } from './chromium.ts';
import { curl } from './curl.ts';
import type { Tool } from './engine.ts';
import { grpcCpp } from './grpc-cpp.ts';
import { grpcGo, grpcGoInteropClient, grpcGoInteropServer } from './grpc-go.ts';
import { grpcPython } from './grpc-python.ts';
import { h2spec } from './h2spec.ts';
import { haproxy } from './haproxy.ts';
import { h2load, nghttpx } from './nghttp2.ts';
import { nats } from './nats.ts';
import { nginx } from './nginx.ts';
import { promtool } from './promtool.ts';
import { rabbitMq } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { wrk } from './wrk.ts';

/** All of them, servers first. */
export const engines: readonly Tool[] = [
  nginx,
  haproxy,
  nghttpx,
  redis,
  nats,
  rabbitMq,
  grpcGo,
  grpcCpp,
  grpcGoInteropServer,
  grpcGoInteropClient,
  grpcPython,
  h2load,
  wrk,
  h2spec,
  curl,
  promtool,
  chromium,
];
