// A program that has done its work ends by itself; what keeps it from that is named.

/** As far as they say something, what a report of Node tells about one thing that is open. */
interface OpenThing {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced: boolean;
  readonly pid?: number;
  readonly localEndpoint?: Endpoint | null;
  readonly remoteEndpoint?: Endpoint | null;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Ends the process with `code` as soon as nothing is open any more, and after `limitMs` all the same: then it says
 * loudly what was left open, for that is a leak of whoever opened it.
 */
export function endNaturally(code: number, limitMs: number): void {
  process.exitCode = code;
  setTimeout(() => {
    const left = openThings();
    const list = left.length === 0 ? 'nothing that Node knows of' : left.join(', ');
    process.stderr.write(`LEFT OPEN ${limitMs / 1000} s after the end, a leak: ${list}\n`);
    process.exit(code);
  }, limitMs).unref();
}

/** What keeps this process alive at the moment, by kind and place. */
export function openThings(): string[] {
  // Names of hosts would be asked for one by one. The types do not know of it yet.
  Object.assign(process.report, { excludeNetwork: true });
  const { libuv } = process.report.getReport() as unknown as { readonly libuv: readonly OpenThing[] };
  return libuv.filter((each) => each.is_active && each.is_referenced).map(describe);
}

function describe({ type, pid, localEndpoint, remoteEndpoint }: OpenThing): string {
  const local = localEndpoint ? ` at ${placeOf(localEndpoint)}` : '';
  const remote = remoteEndpoint ? ` to ${placeOf(remoteEndpoint)}` : '';
  const listening = localEndpoint && !remoteEndpoint ? ' listening' : '';
  return `${type}${listening}${local}${remote}${pid === undefined ? '' : ` of process ${pid}`}`;
}

function placeOf({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
