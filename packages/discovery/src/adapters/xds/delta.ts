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
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '../../gen/envoy/service/discovery/v3/discovery_pb.ts';

/** The second protocol: only what changes is said, in both directions, and what is not there is told. */
export class Delta implements AdsProtocol {
  readonly method = 'DeltaAggregatedResources';
  readonly #node: XdsNode;
  #names: ReadonlySet<string> = new Set();
  #isFirst = true;

  constructor(node: XdsNode) {
    this.#node = node;
  }

  want(names: ReadonlySet<string>): Uint8Array | undefined {
    const more = [...names].filter((name) => !this.#names.has(name));
    const less = [...this.#names].filter((name) => !names.has(name));
    this.#names = new Set(names);
    if (more.length === 0 && less.length === 0) return undefined;
    return this.#request({ resourceNamesSubscribe: more, resourceNamesUnsubscribe: less });
  }

  receive(bytes: Uint8Array): AdsReading {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    const { typeUrl, nonce: responseNonce } = response;
    if (typeUrl !== endpointType) return { updates: [], reply: undefined, problem: undefined };
    const updates: AdsUpdate[] = [];
    const problems: string[] = [];
    for (const { name, resource } of response.resources) {
      const read = readAssignment(resource);
      if (typeof read === 'string') problems.push(`${name}: ${read}`);
      else updates.push({ name, assignment: read });
    }
    for (const name of response.removedResources) updates.push({ name, assignment: undefined });
    const problem = problems.length === 0 ? undefined : problems.join('; ');
    const errorDetail =
      problem === undefined ? {} : { errorDetail: { code: invalidArgument, message: problem } };
    return { updates, reply: this.#request({ responseNonce, ...errorDetail }), problem };
  }

  #request(parts: {
    readonly resourceNamesSubscribe?: string[];
    readonly resourceNamesUnsubscribe?: string[];
    readonly responseNonce?: string;
    readonly errorDetail?: { readonly code: number; readonly message: string };
  }): Uint8Array {
    const request = create(DeltaDiscoveryRequestSchema, {
      typeUrl: endpointType,
      ...(this.#isFirst && { node: nodeMessage(this.#node) }),
      ...parts,
    });
    this.#isFirst = false;
    return toBinary(DeltaDiscoveryRequestSchema, request);
  }
}
