// The programs that integration tests talk to, put on PATH for them: a test finds one or skips with its reason.
import path from 'node:path';
import { chromium } from './engines/chromium.ts';
import { curl } from './engines/curl.ts';
import { isMissing, obtain } from './engines/engine.ts';
import { h2load } from './engines/nghttp2.ts';
import { promtool } from './engines/promtool.ts';

/** Finds or installs them, and says of each what came of it. */
export async function provideTestTools(): Promise<void> {
  for (const tool of [curl, h2load, promtool, chromium]) {
    const found = await obtain(tool);
    console.log(
      `tool ${tool.name.padEnd(14)} ${isMissing(found) ? `MISSING: ${found.missing}` : found.version}`,
    );
    if (isMissing(found)) continue;
    const folder = path.dirname(found.path);
    const known = (process.env['PATH'] ?? '').split(path.delimiter);
    if (!known.includes(folder)) process.env['PATH'] = [...known, folder].join(path.delimiter);
  }
}
