import { bearerCheck } from '@heddle/discovery/clients';
import { nodeRuntime } from '@heddle/kernel/node';
import type { MeshModel } from '@heddle/mesh/model';
import { ModelFeed } from '@heddle/mesh/plane';
import { XdsServer } from '@heddle/mesh/xds';
import { BootstrapTokens, type CertificateService } from '@heddle/security/identity';
import { serve } from '@heddle/wire';
import { randomBytes } from 'node:crypto';
import { meshApi } from '../../../../apps/heddle/src/control-plane/mesh/mesh-api.ts';
import { FetchedKeys } from '../../../../apps/heddle/src/control-plane/mesh/fetched-keys.ts';
import { MeshRules } from '../../../../apps/heddle/src/control-plane/mesh/mesh-rules.ts';
import type { RuleSource } from '../../../../apps/heddle/src/control-plane/mesh/rule-source.ts';
import { RulesPart } from '../../../../apps/heddle/src/control-plane/mesh/rules-part.ts';
import type { Place } from '../../../engines/engine.ts';

/** A control plane for our own planes, on loopback: its API as it is, with models in place of rules. */
export interface OwnControlPlane extends Place {
  apply(model: MeshModel): void;
  /** A bootstrap token for that service account of the namespace `shop`. */
  readonly token: (serviceAccount: string) => string;
  stop(): Promise<void>;
}

/** Models come straight from the scenarios, so there are no rules to read. */
const noRules: RuleSource = {
  name: 'scenarios',
  revision: undefined,
  drift: [],
  isPerObject: false,
  read: async () => [],
  watch: () => () => undefined,
  close: async () => undefined,
};

const trustDomain = 'cluster.local';

/** Starts one on a free port. */
export async function startOwnControlPlane(certificates: CertificateService): Promise<OwnControlPlane> {
  const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
  const feed = new ModelFeed({ runtime, trustDomain });
  const xds = new XdsServer({ runtime, trustDomain });
  const tokens = new BootstrapTokens(randomBytes(32), runtime.clock);
  const check = bearerCheck(randomBytes(32).toString('hex'));
  const scope = {};
  const rules = new MeshRules(scope, () => undefined);
  const part = new RulesPart({ runtime, source: noRules, rules, close: () => undefined });
  const keys = new FetchedKeys({
    runtime,
    get: (url) => Promise.reject(new Error(`nothing is fetched here, least of all ${url}`)),
    changed: () => undefined,
  });
  const operators = { check, checkOperator: check };
  const api = meshApi({
    rules,
    xds,
    feed,
    ...operators,
    tokens,
    certificates,
    source: noRules,
    part,
    scope,
    keys,
  });
  const server = await serve(api, { runtime, address: { host: '127.0.0.1', port: 0 } });
  return {
    ...server.address,
    apply: (model) => {
      xds.update(model);
      feed.update(model);
    },
    token: (serviceAccount) => tokens.make({ trustDomain, namespace: 'shop', serviceAccount }, 600_000),
    stop: async () => {
      feed.close();
      await server.stop();
    },
  };
}
