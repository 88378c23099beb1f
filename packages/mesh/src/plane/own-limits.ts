import { isRetryWord } from '@heddle/proxy/layers';
import type { Cluster, MeshModel, RouteRule, Workload } from '../model/index.ts';

/** What our proxy cannot do of some rules: shown, never lost in silence. As `Inexpressible` of xDS' planes. */
export interface OwnLimit {
  readonly plane: 'proxy';
  /** Where it was written. */
  readonly origin: string;
  readonly what: string;
  readonly instead: string;
}

type Found = readonly [what: string, instead: string];

/** What our proxy cannot do of a model, each once. */
export function ownLimits({ clusters, services, workloads }: MeshModel): readonly OwnLimit[] {
  const found = new Map<string, OwnLimit>();
  const add = (origin: string, those: readonly Found[]): void => {
    for (const [what, instead] of those)
      found.set(`${origin} ${what}`, { plane: 'proxy', origin, what, instead });
  };
  for (const cluster of clusters.values()) add(cluster.origin || cluster.name, ofCluster(cluster));
  for (const { rules, protocol } of services)
    for (const rule of rules) add(rule.origin, protocol === 'tcp' ? ofBytes(rule) : ofRule(rule));
  for (const workload of workloads.values())
    add(`${workload.namespace}/${workload.name}`, ofWorkload(workload));
  return [...found.values()];
}

function ofCluster({ source, tls, outlier, pool, balance }: Cluster): readonly Found[] {
  const found: (Found | false)[] = [
    source === 'original' && [
      'destination as it was called',
      'calls are refused: nothing is captured, so it is not known where they were going',
    ],
    tls.mode === 'tls' &&
      tls.insecureSkipVerify === true && ['insecureSkipVerify', 'the server is verified all the same'],
    tls.mode === 'tls' && tls.names.length > 1 && ['several subjectAltNames', 'the first must be proved'],
    tls.mode === 'mesh' &&
      tls.names.length > 1 && [
        'several subjectAltNames',
        'an endpoint proves its own identity where that is one of them, else the first',
      ],
    outlier?.consecutive5xx !== undefined &&
      outlier.consecutiveGatewayErrors !== undefined && [
        'consecutiveGatewayErrors beside consecutive5xxErrors',
        'all of 5xx are counted together',
      ],
    (outlier?.splitLocalOrigin === true || (outlier?.consecutiveLocalOriginFailures ?? 0) > 0) && [
      'failures of local origin apart',
      'they count as a 5xx does',
    ],
    pool.maxConnections !== undefined && ['maxConnections of all together', 'so many for each instance'],
    pool.maxRetries !== undefined && ['maxRetries', 'each request is tried as often as its rule says'],
    balance.warmUp !== undefined &&
      balance.warmUp.aggression !== 1 && ['aggression of a warm-up', 'the share grows evenly'],
  ];
  return found.filter((each) => each !== false);
}

function ofRule({ retry }: RouteRule): readonly Found[] {
  const unknown = (retry?.on ?? []).filter((word) => !isRetryWord(word));
  return unknown.map((word) => [`retry on ${word}`, 'it is no reason for another try']);
}

function ofBytes({ matches }: RouteRule): readonly Found[] {
  if (matches.length === 0) return [];
  return [['conditions of tcp and tls routes', 'the first route without any is taken']];
}

function ofWorkload({ gateway }: Workload): readonly Found[] {
  if (gateway === undefined) return [];
  return [['gateway', 'a sidecar serves none: the workload’s own proxy has to be an Envoy']];
}
