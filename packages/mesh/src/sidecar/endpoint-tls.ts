import { HeddleError, type Runtime, type TlsSource } from '@heddle/kernel';
import { type ReadFile, upstreamTls } from '@heddle/proxy/layers';
import type { EndpointTls } from '@heddle/wire';
import type { Cluster, ClusterTls, MeshEndpoint } from '../model/index.ts';

/** What TLS towards endpoints is made with. */
export interface TlsSurroundings {
  readonly runtime: Runtime;
  /** Our own identity, and whom the mesh believes; undefined: we have none, and reach nobody by mesh TLS. */
  readonly identity: TlsSource | undefined;
  readonly files: ReadFile;
}

/** How an endpoint of a cluster is spoken to; `undefined`: in plaintext. */
export type TlsFor = (endpoint: MeshEndpoint) => EndpointTls | undefined;

/**
 * TLS as a cluster's rules say. A peer of the mesh must prove to be the workload that it is assigned as, never just anybody.
 * Throws `failed_precondition` for files that are missing.
 */
export function tlsFor(cluster: Cluster, surroundings: TlsSurroundings): TlsFor {
  const { tls } = cluster;
  switch (tls.mode) {
    case 'off':
      return () => undefined;
    case 'tls': {
      const outer = outerTls(tls, surroundings);
      return () => outer;
    }
    case 'auto':
      return ({ identity }) =>
        identity === '' ? undefined : meshTls(identity, sniOf(cluster), surroundings);
    case 'mesh':
      return ({ identity }) => meshTls(expected(tls.names, identity), tls.sni, surroundings);
  }
}

/** The endpoint's own identity where the rules allow it, else the one that they name. */
function expected(names: readonly string[], identity: string): string {
  if (names.length === 0 || names.includes(identity)) return identity;
  return names[0] ?? identity;
}

function meshTls(peerUri: string, serverName: string, { identity }: TlsSurroundings): EndpointTls {
  if (identity === undefined) throw unprovable('this workload has no identity, and its peer demands one');
  if (peerUri === '') throw unprovable('it is not known who the endpoint has to prove to be');
  return { source: identity, serverName, peerUri };
}

/** As Istio's sidecars ask for a cluster, which those before gateways go by. */
function sniOf({ host, port, subset }: Cluster): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

function outerTls(
  tls: ClusterTls & { readonly mode: 'tls' },
  { files, runtime }: TlsSurroundings,
): EndpointTls {
  const { sni, ca, certificate, privateKey, names } = tls;
  const config = {
    serverName: names[0] ?? sni,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate, key: privateKey ?? certificate }),
  };
  return upstreamTls(config, files, runtime);
}

function unprovable(why: string): HeddleError {
  const message = `no mTLS: ${why}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_IDENTITY', message, sent: false });
}
