import { parseTarget } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import { policyNames } from '@heddle/upstream';
import { flag, number, object, oneOf, type Read, record, text, whole } from '../model/document.ts';

/** TLS to the instances of an upstream. They are always verified. Files in PEM, relative to the configuration. */
export interface UpstreamTls {
  /** Whose certificates are believed. Default: those that Node comes with. */
  ca?: string;
  /** What the instances are asked for (SNI), and must prove to be. Default: the host of the address. */
  serverName?: string;
  /** What they must prove to be instead: `spiffe://domain/workload`. */
  peerUri?: string;
  /** What we show: a certificate and its key. */
  cert?: string;
  key?: string;
}

/** How the instances are asked how they are. An instance that fails gets no requests, unless too many do. */
export interface HealthChecks {
  /** Default `http`: a GET that is answered by 2xx. */
  kind?: 'http' | 'tcp' | 'grpc';
  /** Of `http`. Default `/health`. */
  path?: string;
  /** Of `grpc`: whose state is asked for. Default: the server's as a whole. */
  service?: string;
  /** Default 30000. */
  intervalMs?: number;
  /** Default 5000. */
  timeoutMs?: number;
  /** Successes in a row that bring one back. Default 2. */
  rise?: number;
  /** Failures in a row that take one out. Default 3. */
  fall?: number;
  /** With fewer than this share in health all are used: then something is wrong with the checks. Default 0.5; 0: never. */
  panicShare?: number;
}

/** A breaker for each instance; see `BreakerRules` of `@heddle/traffic` for the defaults. */
export interface BreakerConfig {
  consecutiveFailures?: number;
  failureRate?: { share: number; minCalls: number; windowMs: number };
  openMs?: number;
  probes?: number;
  successes?: number;
}

/** Ejection of instances that do worse than the others; see `OutlierRules` of `@heddle/traffic` for the defaults. */
export interface EjectionConfig {
  consecutiveFailures?: number;
  intervalMs?: number;
  ejectMs?: number;
  maxEjectMs?: number;
  maxEjectedShare?: number;
  successRate?: { minInstances: number; minCalls: number; deviations: number };
  latency?: { minInstances: number; minCalls: number; factor: number };
}

/** The connections to each instance, of each worker. */
export interface PoolConfig {
  /** Default 100, with HTTP/2 4. */
  connections?: number;
  /** Requests that wait for one. Default 1024. */
  waiting?: number;
  /** Default 5000. */
  connectMs?: number;
  /** One that is unused for so long is closed. Default 30000. */
  idleMs?: number;
  /** Default 600000. */
  ageMs?: number;
}

/** What policies that hash keep together. Requests that have none of it are spread. */
export interface HashConfig {
  by: 'user' | 'ip' | 'header' | 'cookie';
  /** Of the header or cookie. */
  name?: string;
}

/** An upstream that routes name; an entry of the key `upstreams` of a gateway file. */
export interface UpstreamConfig {
  target: string;
  /** Default `weighted_round_robin`. */
  policy?: string;
  /** For `ring_hash` and `maglev`. */
  hash?: HashConfig;
  /** At most so many times its fair share for one instance, for policies that hash. */
  boundedLoad?: number;
  /** Where the gateway runs, for the policy `locality`. */
  zone?: string;
  region?: string;
  /** Newcomers reach their full share after so long. Default 0: at once. */
  slowStartMs?: number;
  /** Default: none. */
  breaker?: BreakerConfig;
  /** Default: on. */
  ejection?: EjectionConfig | false;
  /** Default: none, except what the registry says. */
  health?: HealthChecks;
  /** Default: clear text. */
  tls?: UpstreamTls;
  pool?: PoolConfig;
}

const hour = 3_600_000;
const ms: Read<number> = whole(1, 24 * hour);
const count: Read<number> = whole(1, 1_000_000);
const word: Read<string> = text('1 to 100 visible characters', (value) => /^[\x21-\x7e]{1,100}$/.test(value));
const file: Read<string> = text('the name of a file', (value) => value !== '' && !value.includes('\0'));
const named = /^[a-z][a-z0-9-]{0,62}$/;

/** A target that discovery can read. */
export const targetText: Read<string> = (at) => {
  const value = text('a target such as "discovery:///order" or "static:///10.0.0.1:8080"')(at);
  if (value === undefined) return undefined;
  try {
    parseTarget(value);
    return value;
  } catch (thrown) {
    return at.problem(HeddleError.from(thrown).message);
  }
};

/** True for a name of `upstreams`, which no target looks like. */
export function isUpstreamName(value: string): boolean {
  return named.test(value);
}

const tls: Read<UpstreamTls> = (at) => {
  const read = object<UpstreamTls>(
    {
      ca: file,
      serverName: text('a host name or IP address', (value) => /^[a-z0-9.:-]{1,253}$/i.test(value)),
      peerUri: text('a URI such as spiffe://domain/workload', (value) =>
        /^[a-z]+:\/\/[\x21-\x7e]+$/.test(value),
      ),
      cert: file,
      key: file,
    },
    [],
  )(at);
  if (read === undefined) return undefined;
  if ((read.cert === undefined) !== (read.key === undefined))
    return at.problem('"cert" and "key" belong together');
  if (read.serverName !== undefined && read.peerUri !== undefined)
    return at.problem('expected at most one of "serverName", "peerUri"');
  return read;
};

const health: Read<HealthChecks> = (at) => {
  const read = object<HealthChecks>(
    {
      kind: oneOf('http', 'tcp', 'grpc'),
      path: text('a path that starts with "/"', (value) => /^\/[\x21-\x7e]*$/.test(value)),
      service: text('the full name of a service', (value) => /^[A-Za-z_][\w.]*$/.test(value)),
      intervalMs: ms,
      timeoutMs: ms,
      rise: whole(1, 100),
      fall: whole(1, 100),
      panicShare: number(0, 1),
    },
    [],
  )(at);
  const { kind = 'http', path, service } = read ?? {};
  if (path !== undefined && kind !== 'http') return at.problem('"path" is for checks of kind http');
  if (service !== undefined && kind !== 'grpc') return at.problem('"service" is for checks of kind grpc');
  return read;
};

const breaker: Read<BreakerConfig> = object<BreakerConfig>(
  {
    consecutiveFailures: count,
    failureRate: object({ share: number(0.001, 1), minCalls: count, windowMs: ms }, [
      'share',
      'minCalls',
      'windowMs',
    ]),
    openMs: ms,
    probes: count,
    successes: count,
  },
  [],
);

const ejectionRules: Read<EjectionConfig> = object<EjectionConfig>(
  {
    consecutiveFailures: count,
    intervalMs: ms,
    ejectMs: ms,
    maxEjectMs: ms,
    maxEjectedShare: number(0, 1),
    successRate: object({ minInstances: whole(2, 10_000), minCalls: count, deviations: number(0, 100) }, [
      'minInstances',
      'minCalls',
      'deviations',
    ]),
    latency: object({ minInstances: whole(2, 10_000), minCalls: count, factor: number(1, 1000) }, [
      'minInstances',
      'minCalls',
      'factor',
    ]),
  },
  [],
);

const ejection: Read<EjectionConfig | false> = (at) => {
  if (!at.isScalar) return ejectionRules(at);
  const value = flag(at);
  // `true` is what is there without the key.
  return value === true ? {} : value;
};

const hash: Read<HashConfig> = (at) => {
  const read = object<HashConfig>({ by: oneOf('user', 'ip', 'header', 'cookie'), name: word }, ['by'])(at);
  if (read === undefined) return undefined;
  const isNamed = read.by === 'header' || read.by === 'cookie';
  return isNamed === (read.name !== undefined)
    ? read
    : at.problem('"name" is that of the header or cookie, and for these only');
};

const upstream: Read<UpstreamConfig> = (at) => {
  const read = object<UpstreamConfig>(
    {
      target: targetText,
      policy: text(`one of ${policyNames.join(', ')}`, (value) => policyNames.includes(value)),
      hash,
      boundedLoad: number(1, 100),
      zone: word,
      region: word,
      slowStartMs: whole(0, hour),
      breaker,
      ejection,
      health,
      tls,
      pool: object<PoolConfig>(
        { connections: count, waiting: whole(0, 1_000_000), connectMs: ms, idleMs: ms, ageMs: ms },
        [],
      ),
    },
    ['target'],
  )(at);
  if (read === undefined) return undefined;
  const { policy, hash: by, boundedLoad, zone, region } = read;
  const hashes = policy === 'ring_hash' || policy === 'maglev';
  if (!hashes && (by !== undefined || boundedLoad !== undefined))
    return at.problem('"hash" and "boundedLoad" are for the policies ring_hash and maglev');
  if (hashes && by === undefined) return at.problem(`the policy ${policy} needs "hash", what to go by`);
  if (policy !== 'locality' && (zone !== undefined || region !== undefined))
    return at.problem('"zone" and "region" are for the policy locality');
  return read;
};

/** Reads the key `upstreams` of a gateway file. */
export const upstreams: Read<Readonly<Record<string, UpstreamConfig>>> = (at) => {
  const read = record('a name of small letters, digits and "-"', isUpstreamName, upstream)(at);
  return read && Object.fromEntries(read);
};
