// Open Policy Agent, built from its published module.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentKey, dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'opa');
const version = '1.4.2';

const build: GoBuild = {
  key: `opa-${contentKey(source)}`,
  version,
  program: 'opa',
  cwd: source,
  // Measured cold: about 3 minutes of CPU; others may use the cores too.
  limitMs: 1_200_000,
  commands: (folder) => [
    [
      'build',
      '-trimpath',
      '-ldflags=-s -w',
      '-tags=opa_no_oci',
      '-o',
      path.join(folder, 'opa'),
      'github.com/open-policy-agent/opa',
    ],
  ],
};

/** How OPA is started. */
export interface OpaOptions {
  /** In Rego. */
  readonly policy: string;
  /** Of its REST API. Default: any free one. */
  readonly address?: Place;
  /** A policy `system.authz` about who may ask, by the bearer token that they send. Default: everybody may. */
  readonly authorisation?: string;
}

/** A server with one policy. */
export const opa: Engine<OpaOptions> = {
  name: 'opa',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const running = await opa.start({ policy: 'package gateway\nallow := true\n' });
    try {
      const { host, port } = running.address;
      const answer = await fetch(`http://${host}:${port}/v1/data/gateway/allow`);
      if (!(await answer.text()).includes('true')) throw new Error('expected the policy to allow');
    } finally {
      await running.stop();
    }
  },
  start: async ({ policy, address, authorisation }) => {
    const { path: command } = await required(opa);
    const place = address ?? (await freePlace());
    const folder = dataFolder('opa');
    const file = path.join(folder, 'policy.rego');
    writeFileSync(file, policy);
    const who = path.join(folder, 'authz.rego');
    if (authorisation !== undefined) writeFileSync(who, authorisation);
    const tokens =
      authorisation === undefined ? [] : ['--authentication=token', '--authorization=basic', who];
    return startServer({
      name: 'opa',
      command,
      args: [
        'run',
        '--server',
        `--addr=${place.host}:${place.port}`,
        '--log-level=error',
        '--disable-telemetry',
        ...tokens,
        file,
      ],
      address: place,
      folder,
      timeoutMs: 60_000,
    });
  },
};
