// h2spec, all of it and strictly, against our HTTP/2 server.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import { type Http2ServerConnection, serveHttp2 } from '../../../packages/wire/src/http2/index.ts';
import { dataFolder } from '../../engines/cache.ts';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { h2spec } from '../../engines/h2spec.ts';
import { type Contract, type ContractResult, skippedWhole } from '../result.ts';

const backend = 'h2spec';
const limitMs = 300_000;
const contentLimit = 1024 * 1024;

/** Each of h2spec's cases is a result. */
export const h2specContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(h2spec);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const folder = dataFolder(backend);
    const report = path.join(folder, 'report.xml');
    const server = await startServer();
    try {
      const args = ['--host=127.0.0.1', `--port=${server.port}`, '--strict', `--junit-report=${report}`];
      const ended = await run(found.path, args, { timeoutMs: limitMs });
      const results = parseJunit(readReport(report, ended.output), found.version);
      if (results.length === 0) throw new Error(`h2spec reported no case: ${lastWords(ended.output)}`);
      return results;
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  },
};

function readReport(file: string, output: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Error(`h2spec wrote no report: ${lastWords(output)}`);
  }
}

interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A server that reads everything and always has something to say, as h2spec wants it. It speaks nothing but HTTP/2:
 * where HTTP/1.1 is spoken too, a preface that is none is a bad request of that, and h2spec knows no such answer.
 */
async function startServer(): Promise<Server> {
  const runtime = nodeRuntime({ name: 'h2spec', logLevel: 'error' });
  const fields = Fields.of({ 'content-type': 'text/plain' });
  const service: HttpService = async ({ body }) => {
    await body.bytes(contentLimit);
    return { status: 200, fields, body: wholeBody(Buffer.from('hello, world')) };
  };
  const open = new Set<Http2ServerConnection>();
  const listener = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
    const served = serveHttp2(connection, service, { runtime });
    open.add(served);
    void served.closed.then(() => open.delete(served));
  });
  const stop = async (): Promise<void> => {
    await listener.close();
    for (const served of open) served.destroy();
  };
  return { port: listener.address.port, stop };
}

/** Reads h2spec's report. A case without `failure` or `error` has passed; `skipped` is h2spec's own word. */
export function parseJunit(xml: string, version: string): ContractResult[] {
  const cases = xml.matchAll(
    /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  return [...cases].map(([, section = '', what = '', content = '']) => {
    const name = `${section}: ${unescapeXml(what)}`;
    if (/<(failure|error)/.test(content)) {
      const detail = unescapeXml(content.replace(/<[^>]*>/g, ' '))
        .replace(/\s+/g, ' ')
        .trim();
      return { backend, version, case: name, status: 'fail', detail } as const;
    }
    if (content.includes('<skipped')) return { backend, version, case: name, status: 'skipped' } as const;
    return { backend, version, case: name, status: 'pass' } as const;
  });
}

function unescapeXml(text: string): string {
  return text
    .replace(/&#(x?)([\da-fA-F]+);/g, (_, hex: string, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, hex === '' ? 10 : 16)),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
