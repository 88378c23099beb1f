import { actions } from './actions.ts';
import { callers } from './callers.ts';
import type { CaseGroup } from './case.ts';
import { conditions } from './conditions.ts';
import { mutualTls } from './mutual-tls.ts';
import { scope } from './scope.ts';
import { tcp } from './tcp.ts';
import { texts } from './texts.ts';
import { tokens } from './tokens.ts';

/** All tables. */
export const authorizationCases: readonly CaseGroup[] = [
  ...actions,
  ...texts,
  ...callers,
  ...conditions,
  ...tcp,
  ...scope,
  ...tokens,
  ...mutualTls,
];
