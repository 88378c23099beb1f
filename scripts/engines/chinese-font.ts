import { lastWords, run } from './command.ts';
import type { Found, Missing, Tool } from './engine.ts';

const debianPackage = 'fonts-wqy-zenhei';

/** A font with Chinese characters, for pictures of the console: installed where the browser is, by root with CI set. */
export const chineseFont: Tool = {
  name: 'chinese-font',
  find,
  install,
  verify: async () => {
    const found = await find();
    if ('missing' in found) throw new Error(found.missing);
  },
};

async function find(): Promise<Found | Missing> {
  const listed = await run('fc-list', [':lang=zh', 'file']).catch(() => ({ output: '', code: 1 }));
  const [first = ''] = listed.output.split('\n');
  const path = first.split(':')[0] ?? '';
  return path === ''
    ? { missing: `no font has Chinese characters: apt-get install ${debianPackage}` }
    : { path, version: 'any' };
}

async function install(): Promise<Found | Missing> {
  if (process.env['CI'] === undefined || process.getuid?.() !== 0) return find();
  await run('apt-get', ['update'], { timeoutMs: 120_000 });
  const args = ['install', '--yes', '--no-install-recommends', debianPackage];
  const ended = await run('apt-get', args, { timeoutMs: 300_000 });
  if (ended.code !== 0)
    return { missing: `${debianPackage} could not be installed: ${lastWords(ended.output)}` };
  return find();
}
