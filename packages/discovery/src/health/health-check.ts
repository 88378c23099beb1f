import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { type GrpcProbe, grpcProbe } from './probe/grpc-probe.ts';
import { type HttpProbeOptions, httpProbe } from './probe/http-probe.ts';
import type { Probe } from './probe/probe.ts';
import { type ScriptRunner, scriptProbe } from './probe/script-probe.ts';
import { tcpProbe } from './probe/tcp-probe.ts';

/** A way to find out from outside how an instance is. */
export type HealthCheck =
  | ({ readonly kind: 'http' } & HttpProbeOptions)
  /** Something accepts connections. */
  | { readonly kind: 'tcp' }
  /** `grpc.health.v1` of this service; default: of the server as a whole. Watch is used where it is offered. */
  | { readonly kind: 'grpc'; readonly service?: string; readonly tls?: EndpointTls }
  /** A program and its arguments; no shell. Exit code 0 passes, 1 warns. */
  | { readonly kind: 'script'; readonly argv: readonly string[] };

/** A probe at work. `grpc` is there if it can watch too. */
export interface OpenProbe {
  readonly probe: Probe;
  readonly grpc: GrpcProbe | undefined;
  readonly close: () => void;
}

/** Throws `failed_precondition` / `NO_SCRIPT_RUNNER` for a script without something to run it. */
export function openProbe(
  check: HealthCheck,
  runtime: Runtime,
  address: Address,
  scripts: ScriptRunner | undefined,
): OpenProbe {
  const alone = (probe: Probe): OpenProbe => ({ probe, grpc: undefined, close: () => {} });
  switch (check.kind) {
    case 'http':
      return alone(httpProbe(runtime, check));
    case 'tcp':
      return alone(tcpProbe(runtime));
    case 'grpc': {
      const grpc = grpcProbe(runtime, address, check.service ?? '', check.tls);
      return { probe: (_address, call) => grpc.check(call), grpc, close: () => grpc.close() };
    }
    case 'script':
      if (scripts === undefined) throw noScriptRunner();
      return alone(scriptProbe(scripts, check.argv));
  }
}

function noScriptRunner(): HeddleError {
  const message =
    'a script check needs a `scripts` to run it: pass `scriptRunner` of @heddle/discovery/node, or use another kind';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_SCRIPT_RUNNER', message, sent: false });
}
