// What stands before a service under rules: who may come, the same for every plane.
import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import {
  emptyModel,
  type InboundPort,
  type JwtRule,
  type MeshModel,
  type MeshPolicy,
} from '@heddle/mesh/model';
import type { Place } from '../../../engines/engine.ts';
import { holds } from './client-scenarios.ts';
import type { CaseToken } from '../authorization/case.ts';
import { Issuer } from '../authorization/issuer.ts';
import type { Echo } from './echo.ts';
import type { Ask, Said, ServerPlane } from './plane.ts';

/** Where a scenario plays: the plane's port before a backend. */
export interface ServerStage {
  readonly plane: ServerPlane;
  readonly echo: Echo;
  readonly at: Place;
}

/** As `ClientScenario`. */
export interface ServerScenario {
  readonly name: string;
  readonly needs: string;
  run(stage: ServerStage): Promise<void>;
}

/** In the order of the issue they come from. */
export const serverScenarios: readonly ServerScenario[] = [
  { name: 'STRICT mTLS lets in whom the mesh vouches for, and nobody else', needs: 'strict', run: strict },
  { name: 'PERMISSIVE mTLS lets in both', needs: 'permissive', run: permissive },
  { name: 'authorisation by principal: ALLOW and DENY', needs: 'authorization', run: principals },
  { name: 'tokens (JWT): believed, refused, and asked for by a policy', needs: 'jwt', run: tokens },
];

/** Who is there: the first two are of this mesh. */
export const accounts = { friend: 'gateway', other: 'report', stranger: 'stranger' };

async function strict({ plane, echo, at }: ServerStage): Promise<void> {
  plane.apply(workloadModel(at, echo, 'strict'));
  await becomes(plane, accounts.friend, status.OK);
  await refuses(plane, undefined);
  // Of another mesh, with another root.
  await refuses(plane, accounts.stranger);
}

async function permissive({ plane, echo, at }: ServerStage): Promise<void> {
  plane.apply(workloadModel(at, echo, 'permissive'));
  await becomes(plane, accounts.friend, status.OK);
  await becomes(plane, undefined, status.OK);
}

async function principals({ plane, echo, at }: ServerStage): Promise<void> {
  const principal = (account: string): string => `cluster.local/ns/shop/sa/${account}`;
  const policy = (action: 'allow' | 'deny', account: string): MeshPolicy => ({
    name: `shop/${action}`,
    action,
    rules: [
      {
        from: [{ principals: { values: [principal(account)], notValues: [] } }],
        to: [
          {
            methods: { values: ['POST'], notValues: [] },
            paths: { values: ['/shop.Echo/*'], notValues: [] },
          },
        ],
        when: [],
      },
    ],
  });
  plane.apply(workloadModel(at, echo, 'strict', [policy('allow', accounts.friend)]));
  await becomes(plane, accounts.other, status.PERMISSION_DENIED);
  await becomes(plane, accounts.friend, status.OK);
  plane.apply(workloadModel(at, echo, 'strict', [policy('deny', accounts.friend)]));
  await becomes(plane, accounts.friend, status.PERMISSION_DENIED);
  await becomes(plane, accounts.other, status.OK);
}

async function tokens({ plane, echo, at }: ServerStage): Promise<void> {
  const issuer = new Issuer();
  const jwt: JwtRule = {
    issuer: 'https://issuer.example',
    audiences: [],
    jwks: issuer.jwks,
    from: [],
    forwardOriginalToken: true,
    claimsToHeaders: [],
  };
  const needsToken: MeshPolicy = {
    name: 'shop/needs-token',
    action: 'allow',
    rules: [
      {
        from: [{ requestPrincipals: { values: ['https://issuer.example/alice'], notValues: [] } }],
        to: [],
        when: [{ key: 'request.auth.claims[group]', values: ['staff'], notValues: [] }],
      },
    ],
  };
  const bearer = (token: CaseToken): { readonly metadata: { readonly authorization: string } } => ({
    metadata: { authorization: `Bearer ${issuer.token(token, Date.now())}` },
  });
  const iss = jwt.issuer;
  plane.apply(workloadModel(at, echo, 'strict', [needsToken], [jwt]));
  const claims = { iss, sub: 'alice', group: 'staff' };
  const alice = bearer({ claims });
  await becomes(plane, accounts.friend, status.OK, alice);
  const codeOf = async (ask: Parameters<ServerPlane['say']>[1]): Promise<number> =>
    (await plane.say(accounts.friend, ask)).code;
  assert.equal(await codeOf(undefined), status.PERMISSION_DENIED, 'without a token');
  assert.equal(
    await codeOf(bearer({ claims: { ...claims, sub: 'bob' } })),
    status.PERMISSION_DENIED,
    'of another',
  );
  assert.equal(
    await codeOf(bearer({ claims: { ...claims, group: 'guests' } })),
    status.PERMISSION_DENIED,
    'another group',
  );
  const forged = bearer({ claims, wrong: 'signature' });
  assert.equal(await codeOf(forged), status.UNAUTHENTICATED, 'a forged one');
}

/** One workload, `order`, whose proxy stands at `at` before the backend. */
function workloadModel(
  at: Place,
  echo: Echo,
  mtls: InboundPort['mtls'],
  policies: readonly MeshPolicy[] = [],
  jwt: readonly JwtRule[] = [],
): MeshModel {
  const target = { address: echo.host, port: echo.port };
  return {
    ...emptyModel('cluster.local'),
    workloads: new Map([
      [
        'shop/order',
        {
          namespace: 'shop',
          name: 'order',
          labels: { app: 'order' },
          serviceAccount: 'order',
          locality: { region: '', zone: '', subZone: '' },
          inbound: [{ address: at.host, port: at.port, protocol: 'grpc', target, mtls }],
          policies,
          jwt,
        },
      ],
    ]),
  };
}

async function becomes(
  plane: ServerPlane,
  account: string | undefined,
  code: number,
  ask?: Ask,
): Promise<void> {
  let last: Said | undefined;
  await holds(
    async () => {
      last = await plane.say(account, ask);
      return last.code === code;
    },
    () => `${account ?? 'plaintext'}: expected ${code}, found ${JSON.stringify(last)}`,
  );
}

async function refuses(plane: ServerPlane, account: string | undefined): Promise<void> {
  const said = await plane.say(account, { timeoutMs: 5000 });
  assert.notEqual(said.code, status.OK, `${account ?? 'plaintext'} was let in`);
}
