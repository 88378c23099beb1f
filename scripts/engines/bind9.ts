// BIND from Debian: a name server with zones that can be changed while it runs (RFC 2136), by the tool beside it.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Pinned, type Place, required, type Running, type Tool } from './engine.ts';
import { freePlace, startServer } from './running.ts';

const program: AptProgram = {
  package: 'bind9',
  program: 'named',
  versionArgs: ['-v'],
  version: /BIND ([\d.]+)/,
};
const updater: AptProgram = {
  package: 'bind9-dnsutils',
  program: 'nsupdate',
  versionArgs: ['-V'],
  version: /nsupdate ([\d.]+)/,
};

/** How it is started. */
export interface Bind9Options extends Pinned {
  /** Default: any free one. */
  readonly address?: Place;
  /** Records of the zone `test.` that are there from the beginning, in the words of a zone file. */
  readonly records: readonly string[];
  /** For how long a negative answer may be kept, in seconds. Default 2. */
  readonly negativeSeconds?: number;
}

/** One that runs. */
export interface Bind9 extends Running {
  /** Changes its zone, all at once: lines of nsupdate, such as `add a.test. 2 A 10.0.0.1`. */
  update(...lines: readonly string[]): Promise<void>;
}

/** The server; `startBind9` gives one whose zone can be changed. */
export const bind9: Engine<Bind9Options> = {
  name: 'bind9',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const server = await startBind9({ records: ['a 2 A 10.0.0.1'] });
    await server.stop();
  },
  start: startBind9,
};

/** The tool that changes a zone. */
export const nsupdate: Tool = {
  name: 'nsupdate',
  find: () => findProgram(updater),
  install: () => installProgram(updater),
  verify: async ({ path: command }) => {
    const { output } = await run(command, ['-V']);
    if (!output.includes('nsupdate')) throw new Error(lastWords(output));
  },
};

/** Starts one that is the authority for `test.`, on UDP and TCP. */
export async function startBind9(options: Bind9Options): Promise<Bind9> {
  const { path: command } = await required(bind9);
  const address = options.address ?? (await freePlace());
  const folder = dataFolder('bind9');
  const secret = randomBytes(32).toString('base64');
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(at('test.zone'), zone(options));
  writeFileSync(at('key.conf'), `key "heddle" { algorithm hmac-sha256; secret "${secret}"; };\n`, {
    mode: 0o600,
  });
  writeFileSync(at('named.conf'), configuration(folder, address));
  const { core } = options;
  const running = await startServer({
    name: 'bind9',
    command,
    // In the foreground, with its log where we see it.
    args: ['-g', '-c', at('named.conf'), '-4'],
    address,
    folder,
    ...(core !== undefined && { core }),
    ready: (started) => isLoaded(started.output()),
  });
  return {
    ...running,
    output: () => running.output(),
    update: async (...lines) => {
      const { path: tool } = await required(nsupdate);
      writeFileSync(
        at('update'),
        `server ${address.host} ${address.port}\nzone test.\n${lines.map((line) => `update ${line}\n`).join('')}send\n`,
      );
      const { code, output } = await run(tool, ['-k', at('key.conf'), at('update')]);
      if (code !== 0) throw new Error(`nsupdate: ${lastWords(output)}`);
    },
  };
}

function zone({ records, negativeSeconds = 2 }: Bind9Options): string {
  return [
    '$ORIGIN test.',
    '$TTL 2',
    `@ SOA ns.test. hostmaster.test. 1 3600 600 86400 ${negativeSeconds}`,
    '@ NS ns.test.',
    'ns A 127.0.0.1',
    ...records,
    '',
  ].join('\n');
}

function configuration(folder: string, { host, port }: Place): string {
  return `
include "${folder}/key.conf";
controls {};
options {
  directory "${folder}";
  pid-file none;
  session-keyfile "${folder}/session.key";
  managed-keys-directory "${folder}";
  listen-on port ${port} { ${host}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  minimal-responses no;
};
zone "test" { type primary; file "${folder}/test.zone"; allow-update { key heddle; }; };
`;
}

/** It runs on without a zone that it cannot read, and says so. */
function isLoaded(log: string): boolean {
  const refused = /not loaded due to errors/.test(log);
  if (refused) throw new Error(`bind9 has not loaded its zone:\n${log}`);
  return log.includes('all zones loaded');
}
