import { HeddleError } from '@heddle/kernel';
import { hostPort, type Instance } from '../../registry/instance.ts';

/** When a check runs and what happens after it. Defaults: every 30 s, 5 s at most, deregistered after 90 s critical. */
export interface ConsulCheckTimes {
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /** Consul itself looks every 30 s, and takes anything below a minute for a minute. 0: never. */
  readonly deregisterAfterMs?: number;
}

/**
 * A check that the agent runs at the instance's own address, beside the TTL check that every instance has: its lease.
 */
export type ConsulCheck = ConsulCheckTimes &
  (
    | { readonly kind: 'grpc'; readonly service?: string; readonly tls?: boolean }
    | { readonly kind: 'http'; readonly path: string; readonly tls?: boolean }
    | { readonly kind: 'tcp' }
    | { readonly kind: 'script'; readonly args: readonly string[] }
  );

/** A check in the words of the agent's API. */
export type ConsulCheckBody = Readonly<Record<string, unknown>>;

const times: Required<ConsulCheckTimes> = {
  intervalMs: 30_000,
  timeoutMs: 5000,
  deregisterAfterMs: 90_000,
};

/** The lease: a TTL check with our own name of it. */
export function leaseCheck(lease: string, ttlMs: number, deregisterAfterMs: number): ConsulCheckBody {
  return {
    CheckID: leaseCheckId(lease),
    Name: 'heddle lease',
    TTL: `${ttlMs}ms`,
    Status: 'passing',
    ...after(deregisterAfterMs),
  };
}

/** The id of the lease's check. */
export function leaseCheckId(lease: string): string {
  return `heddle-lease:${lease}`;
}

/** The agent's words for a check of an instance. */
export function checkBody(
  check: ConsulCheck,
  instance: Instance,
  lease: string,
  at: number,
): ConsulCheckBody {
  const { intervalMs, timeoutMs, deregisterAfterMs } = { ...times, ...check };
  const target = hostPort(instance);
  const timed = {
    CheckID: `heddle-${check.kind}:${lease}:${at}`,
    Name: `heddle ${check.kind}`,
    Interval: `${intervalMs}ms`,
    Timeout: `${timeoutMs}ms`,
    ...after(deregisterAfterMs),
  };
  switch (check.kind) {
    case 'grpc':
      return {
        ...timed,
        GRPC: check.service === undefined ? target : `${target}/${check.service}`,
        GRPCUseTLS: check.tls ?? false,
      };
    case 'http':
      return { ...timed, HTTP: `${check.tls === true ? 'https' : 'http'}://${target}${check.path}` };
    case 'tcp':
      return { ...timed, TCP: target };
    case 'script':
      return { ...timed, Args: check.args };
  }
}

/** Throws `invalid_argument` / `BAD_CHECK` with all that is wrong with the checks, each by its name. */
export function validateChecks(checks: readonly ConsulCheck[]): void {
  const problems = checks.flatMap((check, at) => problemsOf(check).map((each) => `checks[${at}].${each}`));
  if (problems.length === 0) return;
  const message = `these checks cannot be registered with Consul: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_CHECK', message, sent: false });
}

function problemsOf(check: ConsulCheck): string[] {
  const { intervalMs, timeoutMs, deregisterAfterMs } = { ...times, ...check };
  const wrong = Object.entries({ intervalMs, timeoutMs, deregisterAfterMs })
    .filter(([name, value]) => !Number.isInteger(value) || value < (name === 'deregisterAfterMs' ? 0 : 1))
    .map(([name, value]) => `${name}: expected a whole number of milliseconds, found ${value}`);
  if (check.kind === 'http' && !check.path.startsWith('/'))
    wrong.push(`path: expected one that begins with "/", found ${JSON.stringify(check.path)}`);
  if (check.kind === 'script' && check.args.length === 0)
    wrong.push('args: expected the program and its arguments, found none');
  return wrong;
}

function after(deregisterAfterMs: number): ConsulCheckBody {
  return deregisterAfterMs === 0 ? {} : { DeregisterCriticalServiceAfter: `${deregisterAfterMs}ms` };
}
