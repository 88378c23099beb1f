// Everything that `node scripts/engines/main.ts` knows of.
import { alertmanager, amtool } from './alertmanager.ts';
import { otelCollector } from './otel-collector.ts';
import { bind9, nsupdate } from './bind9.ts';
import { chromium } from './chromium.ts';
import { connectConformance } from './connect-conformance.ts';
import { consul } from './consul.ts';
import { curl } from './curl.ts';
import type { Tool } from './engine.ts';
import { envoy } from './envoy.ts';
import { etcd, etcdctl } from './etcd.ts';
import { eureka } from './eureka.ts';
import { grpcCpp } from './grpc-cpp.ts';
import { grpcGo, grpcGoInteropClient, grpcGoInteropServer } from './grpc-go.ts';
import { grpcPython } from './grpc-python.ts';
import { grpcurl } from './grpcurl.ts';
import { h2spec } from './h2spec.ts';
import { haproxy } from './haproxy.ts';
import { helm } from './helm.ts';
import { jaeger } from './jaeger.ts';
import { kafka } from './kafka.ts';
import { kubeApiserver } from './kube-apiserver.ts';
import { nacos } from './nacos.ts';
import { nats } from './nats.ts';
import { mariadb } from './mariadb.ts';
import { h2load, nghttp, nghttpx } from './nghttp2.ts';
import { nginx } from './nginx.ts';
import { opa } from './opa.ts';
import { openSearch } from './opensearch.ts';
import { prometheus } from './prometheus.ts';
import { promtool } from './promtool.ts';
import { rabbitMq } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { smtp } from './smtp.ts';
import { wrk } from './wrk.ts';
import { spiffeClient } from './spiffe-client.ts';
import { xdsControlPlane } from './xds-control-plane.ts';
import { temporal } from './temporal.ts';
import { zooKeeper } from './zookeeper.ts';

/** All of them, servers first. */
export const engines: readonly Tool[] = [
  nginx,
  haproxy,
  envoy,
  nghttpx,
  redis,
  nats,
  rabbitMq,
  kafka,
  consul,
  zooKeeper,
  eureka,
  nacos,
  etcd,
  mariadb,
  temporal,
  opa,
  grpcGo,
  grpcCpp,
  grpcGoInteropServer,
  grpcGoInteropClient,
  grpcPython,
  kubeApiserver,
  bind9,
  xdsControlPlane,
  spiffeClient,
  prometheus,
  alertmanager,
  otelCollector,
  jaeger,
  openSearch,
  smtp,
  h2load,
  nghttp,
  wrk,
  grpcurl,
  h2spec,
  connectConformance,
  curl,
  etcdctl,
  nsupdate,
  promtool,
  amtool,
  helm,
  chromium,
];
