import { type AptProgram, findProgram } from './apt.ts';
import { lastWords, run } from './command.ts';
import type { Found, Missing, Tool } from './engine.ts';

const program: AptProgram = {
  package: 'chromium',
  program: 'chromium',
  versionArgs: ['--version', '--no-sandbox'],
  version: /Chromium ([\d.]+)/,
};

/**
 * The browser that the console is tested in. Debian's build looks for its parts under `/usr`, so unlike the other
 * programs it cannot be unpacked into our cache: it is installed, on machines that are there for that (`CI`), by root.
 */
export const chromium: Tool = {
  name: 'chromium',
  find: () => findProgram(program),
  install,
  verify: async ({ path }) => {
    const page = 'data:text/html,<p>woven</p>';
    const ended = await run(path, ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom', page]);
    if (!ended.output.includes('woven')) throw new Error(lastWords(ended.output));
  },
};

async function install(): Promise<Found | Missing> {
  if (process.env['CI'] === undefined || process.getuid?.() !== 0)
    return {
      missing: 'chromium is not installed; only root with CI set installs it: apt-get install chromium',
    };
  await run('apt-get', ['update'], { timeoutMs: 120_000 });
  const args = ['install', '--yes', '--no-install-recommends', 'chromium'];
  const ended = await run('apt-get', args, { timeoutMs: 300_000 });
  if (ended.code !== 0) return { missing: `chromium could not be installed: ${lastWords(ended.output)}` };
  return findProgram(program);
}
