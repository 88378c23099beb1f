import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StartedCli } from './started-cli.ts';

/** What control planes and sidecars of a test share as the registry's secret. */
const secret = 'a-token-for-this-test-alone';

/** How a mesh is started. */
export interface StartedMeshOptions {
  /** The rules, in YAML. */
  readonly rules: string;
  /** Of the control plane. Default: any free one. */
  readonly port?: number;
  /** More options of `heddle control-plane`. */
  readonly args?: readonly string[];
}

/** For tests: a control plane with rules and the sidecars beside it, as the processes that users run. */
export class StartedMesh {
  /** Of the control plane. */
  readonly url: string;
  readonly folder: string;
  readonly #processes: StartedCli[];

  private constructor(url: string, folder: string, controlPlane: StartedCli) {
    this.url = url;
    this.folder = folder;
    this.#processes = [controlPlane];
  }

  static async start({ rules, port = 0, args = [] }: StartedMeshOptions): Promise<StartedMesh> {
    const folder = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-'));
    const file = path.join(folder, 'mesh.yaml');
    writeFileSync(file, rules);
    const data = path.join(folder, 'control-plane');
    const cli = new StartedCli(
      ['control-plane', '--port', String(port), '--data', data, '--mesh', file, ...args],
      { HEDDLE_REGISTRY_TOKEN: secret },
    );
    const [, url = ''] = await cli.printed(/"url":"(http:[^"]+)"/);
    return new StartedMesh(url, folder, cli);
  }

  /** Other rules from now on. */
  become(rules: string): void {
    writeFileSync(path.join(this.folder, 'mesh.yaml'), rules);
  }

  /** A bootstrap token for a service account of the namespace `shop`. */
  async token(account: string): Promise<string> {
    const answer = await fetch(`${this.url}/v1/mesh/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ spiffeId: `spiffe://cluster.local/ns/shop/sa/${account}` }),
    });
    return ((await answer.json()) as { readonly token: string }).token;
  }

  /** A sidecar of `shop/NAME`, which is the service account's name too unless `token` is of another. */
  async sidecar(
    name: string,
    args: readonly string[] = [],
    env?: Readonly<Record<string, string>>,
  ): Promise<StartedCli> {
    const place = ['--control-plane', this.url.replace('http://', ''), '--workload', `shop/${name}`];
    const data = ['--data', path.join(this.folder, `sidecar-${name}`)];
    const cli = new StartedCli(
      ['sidecar', ...place, ...data, '--dns', 'off', ...args],
      env ?? { HEDDLE_MESH_TOKEN: await this.token(name) },
    );
    this.#processes.push(cli);
    return cli;
  }

  /** Ends all of its processes, and removes what they have written. */
  async stop(): Promise<void> {
    const ends = this.#processes.toReversed().map(({ child, exited }) => {
      child.kill('SIGTERM');
      return exited;
    });
    await Promise.all(ends);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
