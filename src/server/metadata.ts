/**
 * Joins metadata to what carries it: the embedded XDMS, and the client of an external one. Loaded
 * only where there is one: it takes as long as all the rest of a start.
 */

import { createHttpAuthentication } from '../actors/authentication-http.js';
import type { AuthenticationOptions } from '../actors/authentication.js';
import type { Settings } from '../config.js';
import { readPem, readPemPair } from './pem-file.js';
import type { AccountsPort, Clock, Log, Random, Trace } from '../ports.js';
import { createXdmsClient } from '../transport/xcap/client.js';
import type { XdmsClient } from '../transport/xcap/client.js';
import { DeferredListUsage } from '../transport/xcap/deferred-list.js';
import { createXcapServer } from '../transport/xcap/server.js';
import type { XcapServer } from '../transport/xcap/server.js';
import { settingsUsage } from '../transport/xcap/settings.js';
import { version } from '../version.js';

export interface MetadataWorld {
  readonly accounts: AccountsPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly trace?: Trace | undefined;
}

/** Throws ConfigError, or the error of a bad certificate. */
export function xcapServerOf(
  xcap: NonNullable<Settings['xcap']>,
  authentication: AuthenticationOptions | undefined,
  { accounts, clock, random, log, trace }: MetadataWorld,
): XcapServer {
  const { host, port, root, trustedProxies, settings, tls, ...limits } = xcap;
  const { auid, type: contentType, name } = settings;
  return createXcapServer({
    ...{ host, port, root, trustedProxies, log, limits },
    usages: [
      new DeferredListUsage(accounts),
      settingsUsage({ accounts, root, auid, contentType, name }),
    ],
    ...(authentication && {
      authentication: createHttpAuthentication(authentication, { clock, random, log }),
    }),
    ...(tls && { tls: readPemPair(tls) }),
    ...(trace && { trace: { trace, clock } }),
    product: `XDM-serv/OMA1.0 PosteRestante/${version}`,
  });
}

/** Throws ConfigError. */
export function xdmsClientOf(
  xdms: NonNullable<Settings['xdms']>,
  identity: Settings['identity'],
  { clock, random, trace }: Pick<MetadataWorld, 'clock' | 'random' | 'trace'>,
): XdmsClient {
  const { root, username, password, md5, tls, assertedIdentity } = xdms;
  const { connections, pending, timeoutMs, etags, failures, pauseMs } = xdms;
  return createXdmsClient({
    ...{ root, clock, random, trace },
    limits: { connections, pending, timeoutMs, etags, failures, pauseMs },
    product: `XDM-serv/OMA1.0 PosteRestante/${version}`,
    assertedIdentity: assertedIdentity ?? `sip:${identity.deferredUser}@${identity.hostname}`,
    ...(username !== undefined && password !== undefined && { user: { username, password, md5 } }),
    ...(tls && {
      tls: {
        ...(tls.authorities && { authorities: tls.authorities.map(readPem) }),
        ...(tls.certificate !== undefined && { certificate: readPem(tls.certificate) }),
        ...(tls.key !== undefined && { key: readPem(tls.key) }),
      },
    }),
  });
}
