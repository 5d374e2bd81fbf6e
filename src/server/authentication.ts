/** What authentication is told of the settings. */

import { cryptoHash } from '../actors/authentication.js';
import type { AuthenticationOptions } from '../actors/authentication.js';
import { configuredCredentials } from '../actors/authentication-credentials.js';
import type { CredentialsPort } from '../actors/authentication-credentials.js';
import type { Settings } from '../config.js';
import { realmOf } from '../settings/identity.js';

/** Undefined when nobody could authenticate. */
export function authenticationOptions(
  identity: Settings['identity'],
  given: CredentialsPort | undefined,
): AuthenticationOptions | undefined {
  const { credentials, digest } = identity;
  if (!given && Object.keys(credentials).length === 0) return undefined;
  const { algorithms, qop, userhash, messages, secret } = digest;
  const { nonceMs, nonces, failures, failureMs } = digest;
  return {
    realm: realmOf(identity),
    credentials: given ?? configuredCredentials(credentials, cryptoHash),
    ...{ algorithms, qop, userhash, messages },
    ...(secret !== undefined && { secret }),
    bounds: { nonceMs, nonces, failures, failureMs },
  };
}
