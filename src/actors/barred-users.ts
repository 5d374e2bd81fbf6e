/** Users whom policy of the operator keeps from retrieving (S3 11.3.1 step 3). */

import type { AccountId } from '../ports.js';
import { canonicalIdentity } from './served-users.js';

/** Why an account is barred; undefined: it is not. `reasons` are by AoR, as URI or bare. */
export function barredUsers(
  reasons: Readonly<Record<string, string>>,
): (account: AccountId) => string | undefined {
  const entries = Object.entries(reasons);
  const barred = new Map(entries.map(([aor, reason]) => [canonicalIdentity(aor), reason]));
  return (account) => barred.get(account);
}
