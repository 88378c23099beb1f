// Everything that `node scripts/engines/main.ts` knows of.
import { chromium } from './chromium.ts';
import { connectConformance } from './connect-conformance.ts';
import { curl } from './curl.ts';
import type { Tool } from './engine.ts';
import { grpcCpp } from './grpc-cpp.ts';
import { grpcGo, grpcGoInteropClient, grpcGoInteropServer } from './grpc-go.ts';
import { grpcPython } from './grpc-python.ts';
import { h2spec } from './h2spec.ts';
import { haproxy } from './haproxy.ts';
import { mariadb } from './mariadb.ts';
import { h2load, nghttp, nghttpx } from './nghttp2.ts';
import { nginx } from './nginx.ts';
import { promtool } from './promtool.ts';
import { wrk } from './wrk.ts';

/** All of them, servers first. */
export const engines: readonly Tool[] = [
  nginx,
  haproxy,
  nghttpx,
  mariadb,
  grpcGo,
  grpcCpp,
  grpcGoInteropServer,
  grpcGoInteropClient,
  grpcPython,
  h2load,
  nghttp,
  wrk,
  h2spec,
  connectConformance,
  curl,
  promtool,
  chromium,
];
