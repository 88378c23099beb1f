import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type EndpointTls, endpoint } from '@heddle/wire';
import {
  Auth,
  KV,
  Lease,
  type RangeRequestSchema,
  type RangeResponse,
  type ResponseHeader,
  type TxnRequestSchema,
  type TxnResponse,
  Watch,
  type WatchRequestSchema,
  type WatchResponseSchema,
} from '../../gen/etcd/rpc_pb.ts';
import { askGrpc, type GrpcMethod, type GrpcStream, openGrpc } from '../../servers/grpc-servers.ts';
import { type Asked, ServerGroup } from '../../servers/server-group.ts';
import { etcdError } from './etcd-error.ts';

/** How a cluster is reached. */
export interface EtcdClientOptions {
  readonly runtime: Runtime;
  /** Members of one cluster, at least one; the first that answers is used. */
  readonly addresses: readonly Address[];
  /** Deadline of each request. */
  readonly timeoutMs: number;
  readonly user?: EtcdUser | undefined;
  readonly tls?: EndpointTls | undefined;
}

/** Who we are, where the cluster has authentication on. */
export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

/** An answer's place in the cluster's life. */
interface Headed {
  readonly header?: ResponseHeader | undefined;
}

/**
 * The calls of etcd's API that are needed here, on one connection to one member at a time. Logs in when it has to, and
 * again when the token has run out. Reads are linearizable: a member that is cut off from the others does not answer.
 */
export class EtcdClient {
  readonly group: ServerGroup;
  readonly #user: EtcdUser | undefined;
  readonly #members: number;
  #token: Promise<string | undefined> | undefined;
  #clusterId: bigint | undefined;
  /** Members that have answered for another cluster, since one has answered for ours. */
  readonly #strangers = new Set<number>();

  constructor({ runtime, addresses, timeoutMs, user, tls }: EtcdClientOptions) {
    const limits = { connections: 1, connectMs: 2000 };
    const reach = (address: Address): ReturnType<typeof endpoint> =>
      endpoint({ runtime, address, protocol: 'http2', limits, ...(tls !== undefined && { tls }) });
    this.group = new ServerGroup({ runtime, name: 'etcd', addresses, timeoutMs, reach });
    this.#members = addresses.length;
    this.#user = user;
  }

  range(request: MessageInitShape<typeof RangeRequestSchema>): Promise<RangeResponse> {
    return this.#ask(KV.method.range, request);
  }

  txn(request: MessageInitShape<typeof TxnRequestSchema>): Promise<TxnResponse> {
    return this.#ask(KV.method.txn, request);
  }

  /** Does nothing if the lease is there already. */
  async grant(lease: bigint, ttlMs: number): Promise<void> {
    try {
      await this.#ask(Lease.method.leaseGrant, { ID: lease, TTL: BigInt(Math.ceil(ttlMs / 1000)) });
    } catch (error) {
      if (HeddleError.from(error).reason !== 'LEASE_EXISTS') throw error;
    }
  }

  /** Whether the lease was there. */
  async keepAlive(lease: bigint): Promise<boolean> {
    const { TTL } = await this.#ask(Lease.method.leaseKeepAlive, { ID: lease });
    return TTL > 0n;
  }

  /** Takes away the lease with what hangs on it. Nothing happens if there is none. */
  async revoke(lease: bigint, timeoutMs: number): Promise<void> {
    try {
      await this.#ask(Lease.method.leaseRevoke, { ID: lease }, timeoutMs);
    } catch (error) {
      if (HeddleError.from(error).reason !== 'LEASE_NOT_FOUND') throw error;
    }
  }

  /** A watch stream; a member without a leader does not give one. */
  async watch(
    requests: () => AsyncIterable<MessageInitShape<typeof WatchRequestSchema>>,
    call: Call,
  ): Promise<GrpcStream<typeof WatchResponseSchema>> {
    return this.#loggedIn(async (metadata) => {
      return openGrpc(this.group, Watch.method.watch, requests(), call, { metadata });
    });
  }

  /** Throws `unavailable` / `OTHER_CLUSTER` for an answer that is not of the cluster that was seen before. */
  check({ header }: Headed, { at }: Asked): void {
    if (header === undefined || header.clusterId === this.#clusterId) {
      this.#strangers.clear();
      return;
    }
    this.#strangers.add(at);
    // When all of them say so, the cluster was built anew.
    if (this.#clusterId !== undefined && this.#strangers.size < this.#members)
      throw otherCluster(header.clusterId, this.#clusterId);
    this.#clusterId = header.clusterId;
    this.#strangers.clear();
  }

  close(): void {
    this.group.close();
  }

  #ask<I extends DescMessage, O extends DescMessage>(
    method: GrpcMethod<I, O>,
    message: MessageInitShape<I>,
    timeoutMs?: number,
  ): Promise<MessageShape<O>> {
    const check = (answer: MessageShape<O>, asked: Asked): void => this.check(answer as Headed, asked);
    return this.#loggedIn((metadata) =>
      askGrpc(this.group, method, message, {
        metadata,
        check,
        ...(timeoutMs !== undefined && { timeoutMs }),
      }),
    );
  }

  /** Works with a token if there is a user; once more with another if that one is not good any more. */
  async #loggedIn<T>(work: (metadata: Record<string, string>) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      const token = await this.#login();
      try {
        return await work({ hasleader: 'true', ...(token !== undefined && { token }) });
      } catch (thrown) {
        const error = etcdError(HeddleError.from(thrown));
        if (error.reason !== 'TOKEN_REFUSED' || token === undefined || tried > 1) throw error;
        this.#token = undefined;
      }
    }
  }

  #login(): Promise<string | undefined> {
    if (this.#user === undefined) return Promise.resolve(undefined);
    this.#token ??= this.#authenticate(this.#user).catch((thrown: unknown) => {
      this.#token = undefined;
      throw thrown;
    });
    return this.#token;
  }

  async #authenticate(user: EtcdUser): Promise<string | undefined> {
    try {
      const { token } = await askGrpc(this.group, Auth.method.authenticate, { ...user });
      return token;
    } catch (thrown) {
      const error = etcdError(HeddleError.from(thrown));
      if (error.reason === 'AUTH_OFF') return undefined;
      throw error;
    }
  }
}

function otherCluster(found: bigint, known: bigint): HeddleError {
  const message = `a member of etcd answers for the cluster ${found.toString(16)}, and ${known.toString(16)} was seen before: they are not mixed`;
  return new HeddleError({ code: 'unavailable', reason: 'OTHER_CLUSTER', message });
}
