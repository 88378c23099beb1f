const asked = /grpc\.(health|reflection)\.|\/\.well-known\/|\/(healthz|livez|readyz|health|metrics)$/;
const bareMethod = /^[A-Z]+$/;
const ownTable = /^[A-Z]+ (?:\w+\.)?heddle_/;

/**
 * Whether a trace that begins with a span of this name is what programs ask each other as programs: health, reflection,
 * contracts, their admin APIs. The latter have no routes, and so no more of a name than their method.
 */
export function isPlumbing(rootName: string): boolean {
  return asked.test(rootName) || bareMethod.test(rootName);
}

/** Whether a span of this name is about a table of the platform, which no service is cut along. */
export function isOwnTable(spanName: string): boolean {
  return ownTable.test(spanName);
}
