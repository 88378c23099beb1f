import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type AdsProtocol,
  type AdsReading,
  type AdsUpdate,
  endpointType,
  invalidArgument,
  nodeMessage,
  readAssignment,
  type XdsNode,
} from './ads-protocol.ts';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../../gen/envoy/service/discovery/v3/discovery_pb.ts';

/**
 * The first of the two protocols, which every control plane speaks: each request names all that is wanted, and says
 * which version was taken (ACK) or why one was not (NACK). An answer may leave out what did not change, so absence
 * says nothing.
 */
export class StateOfTheWorld implements AdsProtocol {
  readonly method = 'StreamAggregatedResources';
  readonly #node: XdsNode;
  #names: readonly string[] = [];
  #accepted = '';
  #nonce = '';
  #isFirst = true;

  constructor(node: XdsNode) {
    this.#node = node;
  }

  want(names: ReadonlySet<string>): Uint8Array | undefined {
    const next = [...names].toSorted();
    const isSame = next.length === this.#names.length && next.every((name, at) => name === this.#names[at]);
    // No names at all would mean all there is.
    if (isSame || next.length === 0) return undefined;
    this.#names = next;
    return this.#request(undefined);
  }

  receive(bytes: Uint8Array): AdsReading {
    const response = fromBinary(DiscoveryResponseSchema, bytes);
    if (response.typeUrl !== endpointType) return { updates: [], reply: undefined, problem: undefined };
    const updates: AdsUpdate[] = [];
    const problems: string[] = [];
    for (const any of response.resources) {
      const read = readAssignment(any);
      if (typeof read === 'string') problems.push(read);
      else updates.push({ name: read.clusterName, assignment: read });
    }
    this.#nonce = response.nonce;
    const problem = problems.length === 0 ? undefined : problems.join('; ');
    if (problem === undefined) this.#accepted = response.versionInfo;
    return { updates, reply: this.#request(problem), problem };
  }

  #request(problem: string | undefined): Uint8Array {
    const request = create(DiscoveryRequestSchema, {
      versionInfo: this.#accepted,
      resourceNames: [...this.#names],
      typeUrl: endpointType,
      responseNonce: this.#nonce,
      ...(this.#isFirst && { node: nodeMessage(this.#node) }),
      ...(problem !== undefined && { errorDetail: { code: invalidArgument, message: problem } }),
    });
    this.#isFirst = false;
    return toBinary(DiscoveryRequestSchema, request);
  }
}
