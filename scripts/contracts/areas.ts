// The suites by area. An area is here when its suites exist.
import { postgresEventStore } from './eventstore/postgres.ts';
import { kafkaMessaging } from './messaging/kafka.ts';
import { memoryMessaging } from './messaging/memory.ts';
import { natsMessaging } from './messaging/nats.ts';
import { postgresMessaging } from './messaging/postgres.ts';
import { rabbitMessaging } from './messaging/rabbitmq.ts';
import { redisMessaging } from './messaging/redis.ts';
import { asyncapiContract } from './api/asyncapi.ts';
import { grpcReflectionContract } from './api/grpc-reflection.ts';
import { mockContract } from './api/mock.ts';
import { openapiContract } from './api/openapi.ts';
import { properties } from './boundaries/properties.ts';
import { booking, trading } from './boundaries/service-cutter.ts';
import { shop } from './boundaries/shop/shop.ts';
import { consulConfig } from './config/consul.ts';
import { embeddedConfig } from './config/embedded.ts';
import { etcdConfig } from './config/etcd.ts';
import { nacosConfig } from './config/nacos.ts';
import { gitConfig } from './config/git.ts';
import { kubernetesConfig } from './config/kubernetes.ts';
import { consulContract } from './discovery/consul.ts';
import { dns } from './discovery/dns.ts';
import { embedded } from './discovery/embedded.ts';
import { eurekaContract } from './discovery/eureka.ts';
import { nacosContract } from './discovery/nacos.ts';
import { zooKeeperContract } from './discovery/zookeeper.ts';
import { etcdContract } from './discovery/etcd.ts';
import { kubernetes } from './discovery/kubernetes.ts';
import { xds } from './discovery/xds.ts';
import { jwt } from './gateway/jwt.ts';
import { normalisation } from './gateway/normalisation.ts';
import { opaContract } from './gateway/opa.ts';
import { oidc } from './gateway/oidc.ts';
import { protocols } from './gateway/protocols.ts';
import { ratelimitEnvoy } from './gateway/ratelimit-envoy.ts';
import { ratelimitMemory } from './gateway/ratelimit-memory.ts';
import { ratelimitRedis } from './gateway/ratelimit-redis.ts';
import { reload } from './gateway/reload.ts';
import { gatewaySmuggling } from './gateway/smuggling.ts';
import type { Contract } from './result.ts';
import { grpcurlContract } from './calls/grpcurl.ts';
import { connectClients, grpcJs } from './calls/official-clients.ts';
import { authorization } from './mesh/authorization.ts';
import { envoy } from './mesh/envoy.ts';
import { grpcJsXds } from './mesh/grpc-js-xds.ts';
import { inProcess } from './mesh/in-process.ts';
import { kubernetesMesh } from './mesh/kubernetes.ts';
import { proxy } from './mesh/proxy.ts';
import { alertmanagerContract } from './telemetry/alertmanager.ts';
import { jaegerContract } from './telemetry/jaeger.ts';
import { openSearchContract } from './telemetry/opensearch.ts';
import { otlpContract } from './telemetry/otlp.ts';
import { prometheusContract } from './telemetry/prometheus.ts';
import { promqlContract } from './telemetry/promql.ts';
import { smtpContract } from './telemetry/smtp.ts';
import { transactions } from './transactions/matrix.ts';
import { connectConformanceContract } from './wire/connect-conformance.ts';
import { counterparts } from './wire/counterparts.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  eventstore: [postgresEventStore],
  messaging: [
    memoryMessaging,
    postgresMessaging,
    redisMessaging,
    natsMessaging,
    rabbitMessaging,
    kafkaMessaging,
  ],
  calls: [grpcurlContract, connectClients, grpcJs],
  api: [openapiContract, asyncapiContract, grpcReflectionContract, mockContract],
  boundaries: [booking, trading, properties, shop],
  config: [embeddedConfig, etcdConfig, consulConfig, nacosConfig, kubernetesConfig, gitConfig],
  discovery: [
    embedded,
    consulContract,
    etcdContract,
    zooKeeperContract,
    kubernetes,
    eurekaContract,
    nacosContract,
    dns,
    xds,
  ],
  gateway: [
    normalisation,
    jwt,
    ratelimitMemory,
    ratelimitEnvoy,
    ratelimitRedis,
    reload,
    opaContract,
    gatewaySmuggling,
    oidc,
    protocols,
  ],
  mesh: [authorization, envoy, grpcJsXds, proxy, inProcess, kubernetesMesh],
  telemetry: [
    otlpContract,
    promqlContract,
    prometheusContract,
    alertmanagerContract,
    openSearchContract,
    smtpContract,
    jaegerContract,
  ],
  transactions,
  wire: [h2specContract, grpcInterop, smuggling, floods, counterparts, connectConformanceContract],
};
