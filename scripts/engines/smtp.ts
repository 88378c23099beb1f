// A real SMTP server, aiosmtpd of the Python Package Index, that keeps the mails it takes as files.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { lastWords, run, which } from './command.ts';
import {
  type Engine,
  type Found,
  isMissing,
  type Missing,
  type Place,
  required,
  type Running,
} from './engine.ts';
import { unpackWheel, wheelFile } from './pypi.ts';
import { freePlace, startServer } from './running.ts';

const version = '1.4.6';
const wheels = [
  ['aiosmtpd', version],
  ['atpublic', '5.1'],
  ['attrs', '25.3.0'],
] as const;

/** How the server is started. */
export interface SmtpOptions {
  /** Default: any free one. */
  readonly address?: Place;
  /** Who may send. Default: anybody. */
  readonly user?: { readonly name: string; readonly password: string };
}

/** The server, and its mails. */
export interface RunningSmtp extends Running {
  /** All mails so far, as they came. */
  mails(): readonly string[];
}

const environment = (): { PYTHONPATH: string } => ({
  PYTHONPATH: wheels.map(([name, each]) => wheelFile(name, each, '')).join(path.delimiter),
});

async function find(): Promise<Found | Missing> {
  if (which('python3') === undefined) return { missing: 'aiosmtpd needs Python, and this machine has none' };
  const said = await run('python3', ['-c', 'import aiosmtpd; print(aiosmtpd.__version__)'], {
    env: environment(),
  });
  const found = said.code === 0 && said.output.trim() === version;
  return found
    ? { path: 'python3', version }
    : { missing: `aiosmtpd is not in the cache: ${lastWords(said.output)}` };
}

/** One server that takes mail for anybody, or from those who can log in. */
export const smtp: Omit<Engine<SmtpOptions>, 'start'> & {
  start(options: SmtpOptions): Promise<RunningSmtp>;
} = {
  name: 'smtp',
  find,
  install: async () => {
    for (const [name, each] of wheels) {
      const folder = await unpackWheel(name, each);
      if (typeof folder !== 'string' && isMissing(folder)) return folder;
    }
    return find();
  },
  verify: async () => {
    const running = await smtp.start({});
    await running.stop();
  },
  start: async ({ user, ...options }) => {
    const found = await required(smtp);
    const address = options.address ?? (await freePlace());
    const folder = dataFolder('smtp');
    mkdirSync(folder, { recursive: true });
    const program = path.join(import.meta.dirname, 'smtp/server.py');
    const credentials = user === undefined ? [] : [user.name, user.password];
    const running = await startServer({
      name: 'smtp',
      command: found.path,
      args: [program, String(address.port), folder, ...credentials],
      address,
      folder,
      env: environment(),
    });
    const mails = (): readonly string[] =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.eml'))
        .toSorted()
        .map((name) => readFileSync(path.join(folder, name), 'utf8'));
    return { ...running, mails };
  },
};
