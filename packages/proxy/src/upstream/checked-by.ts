import type { HealthCheck, Resolver } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import { checkedResolver } from '@heddle/upstream';
import type { EndpointTls } from '@heddle/wire';
import type { HealthChecks } from './upstream-schema.ts';

/** The resolver without the instances that fail the checks, which go the way that requests do. */
export function checkedBy(
  health: HealthChecks,
  inner: Resolver,
  runtime: Runtime,
  tls: EndpointTls | undefined,
): Resolver {
  const { kind, path, service, panicShare, ...rules } = health;
  return checkedResolver(inner, {
    runtime,
    check: checkOf(health, tls),
    ...rules,
    ...(panicShare !== undefined && { panicShare }),
  });
}

function checkOf({ kind = 'http', path = '/health', service }: HealthChecks, tls?: EndpointTls): HealthCheck {
  const secured = tls !== undefined && { tls };
  switch (kind) {
    case 'http':
      return { kind, path, ...secured };
    case 'tcp':
      return { kind };
    case 'grpc':
      return { kind, ...(service !== undefined && { service }), ...secured };
  }
}
