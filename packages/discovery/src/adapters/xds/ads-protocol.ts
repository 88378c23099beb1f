import { create, fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { type Node, NodeSchema } from '../../gen/envoy/config/core/v3/core_pb.ts';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '../../gen/envoy/config/endpoint/v3/endpoint_pb.ts';

/** What we say of ourselves to a control plane. */
export interface XdsNode {
  /** Unique; Istio wants `sidecar~<ip>~<name>.<namespace>~<domain>`. */
  readonly id: string;
  readonly cluster?: string;
  readonly zone?: string;
  readonly region?: string;
}

/** What an answer brought for one resource; without an assignment it is not there. */
export interface AdsUpdate {
  readonly name: string;
  readonly assignment: ClusterLoadAssignment | undefined;
}

/** What was made of an answer, and what is to be said to it. */
export interface AdsReading {
  readonly updates: readonly AdsUpdate[];
  readonly reply: Uint8Array | undefined;
  /** Why not all of it was taken, as the control plane is told. */
  readonly problem: string | undefined;
}

/** One stream's side of the protocol: pure, bytes in and bytes out. A new stream needs a new one. */
export interface AdsProtocol {
  /** Of the service `AggregatedDiscoveryService`. */
  readonly method: string;
  /** These are wanted from now on, and no others: what to send; undefined: nothing. */
  want(names: ReadonlySet<string>): Uint8Array | undefined;
  /** Throws for what is no message of the protocol. */
  receive(bytes: Uint8Array): AdsReading;
}

/** EDS. */
export const endpointType = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';

/** The code of `google.rpc.Status` for what cannot be taken. */
export const invalidArgument = 3;

/** `XdsNode` as it is sent. */
export function nodeMessage({ id, cluster = 'heddle', zone = '', region = '' }: XdsNode): Node {
  const locality = { region, zone, subZone: '' };
  return create(NodeSchema, { id, cluster, locality, userAgentName: 'heddle' });
}

/** Reads one resource; a problem instead if it is spoilt, or none of EDS. */
export function readAssignment(any: Any | undefined): ClusterLoadAssignment | string {
  if (any?.typeUrl !== endpointType)
    return `expected a resource of ${endpointType}, found ${any?.typeUrl ?? 'none'}`;
  try {
    const assignment = fromBinary(ClusterLoadAssignmentSchema, any.value);
    if (assignment.clusterName === '') return 'a ClusterLoadAssignment without cluster_name';
    return priorityGap(assignment) ?? assignment;
  } catch (thrown) {
    return `a resource that cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** Priorities go from 0 without a gap (gRFC A27): who skips one has made a mistake. */
function priorityGap({ clusterName, endpoints }: ClusterLoadAssignment): string | undefined {
  const priorities = new Set(endpoints.map(({ priority }) => priority));
  for (let priority = 0; priority < priorities.size; priority++)
    if (!priorities.has(priority)) return `cluster "${clusterName}": no locality has priority ${priority}`;
  return undefined;
}
