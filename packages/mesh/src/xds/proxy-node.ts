import type { JsonObject } from '@bufbuild/protobuf';
import type { Node } from '../gen/envoy/config/core/v3/base_pb.ts';
import type { ProxyKind } from './translate/translator.ts';

/** What a proxy says of itself. */
export interface ProxyNode extends ProxyKind {
  readonly id: string;
  /** What it is and its version, as it says. */
  readonly agent: string;
}

/**
 * Reads a node. Its workload is `NAMESPACE` and `NAME` of its metadata, else those of an id in Istio's form
 * (`sidecar~10.0.0.1~order.shop~shop.svc.cluster.local`), else its id as a name in `default`. Clients of gRPC are told
 * by their user agent, or by `GENERATOR: grpc` as in Istio.
 */
export function proxyNode(node: Node): ProxyNode {
  const metadata: JsonObject = node.metadata ?? {};
  const [, , istioName = ''] = node.id.split('~');
  const dot = istioName.lastIndexOf('.');
  const name = textOf(metadata['NAME']) ?? (dot > 0 ? istioName.slice(0, dot) : node.id);
  const namespace =
    textOf(metadata['NAMESPACE']) ?? (dot > 0 ? istioName.slice(dot + 1) : node.cluster || 'default');
  const isGrpc = metadata['GENERATOR'] === 'grpc' || /grpc/i.test(node.userAgentName);
  const { region = '', zone = '', subZone = '' } = node.locality ?? {};
  return {
    id: node.id,
    agent: node.userAgentName,
    plane: isGrpc ? 'grpc' : 'envoy',
    workload: `${namespace}/${name}`,
    locality: { region, zone, subZone },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
