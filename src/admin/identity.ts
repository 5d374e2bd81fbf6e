/** The account that a path names, as a URI or as a bare AoR. */

import type { AccountId } from '../ports.js';
import { canonicalAor } from '../wire/sip/uri.js';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';

/** The canonical form of an identity; throws `ADMIN_IDENTITY`. */
export function canonicalIdentity(text: string): AccountId {
  const canonical = canonicalAor(uriOf(text));
  if (canonical === undefined) {
    throw new AdminError('ADMIN_IDENTITY', `${JSON.stringify(text)} is no SIP or tel identity`);
  }
  return canonical;
}

/** Served or not, as long as there is something of it; throws `ADMIN_NO_ACCOUNT`. */
export async function accountAt(parts: AdminParts, text: string): Promise<AccountId> {
  const { accounts, provisioning } = parts;
  const canonical = canonicalIdentity(text);
  const known = provisioning?.find(canonical)?.account ?? accounts.accountOf(uriOf(text));
  if (known !== undefined) return known;
  if (await accounts.exists(canonical)) return canonical;
  throw new AdminError('ADMIN_NO_ACCOUNT', `nobody is served as ${canonical}`);
}

/** Without a scheme there is no colon: `mailto:a@b` is not the user `mailto`. */
function uriOf(text: string): string {
  if (text.includes(':')) return text;
  return text.startsWith('+') ? `tel:${text}` : `sip:${text}`;
}
