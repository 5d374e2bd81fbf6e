/** Joins metadata to what carries it: the embedded XDMS, and the client of an external one. */

import { createHttpAuthentication } from '../actors/authentication-http.js';
import type { AuthenticationOptions } from '../actors/authentication.js';
import type { Settings } from '../config.js';
import { readPem } from './pem-file.js';
import type { AccountsPort, Clock, Log, Random, Trace } from '../ports.js';
import type { Bounds } from '../actors/options.js';
import { createXdmsClient } from '../transport/xcap/client.js';
import type { XdmsClient } from '../transport/xcap/client.js';
import { DeferredListUsage } from '../transport/xcap/deferred-list.js';
import type { XcapTls } from '../transport/xcap/options.js';
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

/** Undefined when the settings ask for none. Throws ConfigError, or that of a bad certificate. */
export function xcapServerOf(
  { xcap }: Settings,
  authentication: AuthenticationOptions | undefined,
  { accounts, clock, random, log, trace }: MetadataWorld,
): XcapServer | undefined {
  if (!xcap) return undefined;
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
    ...(tls && { tls: xcapTls(tls) }),
    ...(trace && { trace: { trace, clock } }),
    product: `XDM-serv/OMA1.0 PosteRestante/${version}`,
  });
}

export function xcapTls(files: NonNullable<NonNullable<Settings['xcap']>['tls']>): XcapTls {
  return { certificate: readPem(files.certificate), key: readPem(files.key) };
}

/** Undefined when the embedded XDMS is the only one. Throws ConfigError. */
export function xdmsClientOf(
  { xdms, identity }: Settings,
  { clock, random, trace }: Pick<MetadataWorld, 'clock' | 'random' | 'trace'>,
): XdmsClient | undefined {
  if (!xdms) return undefined;
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

/** What the outbox is told of an external XDMS. */
export function xdmsBounds({ xdms }: Settings): Partial<Bounds> {
  if (!xdms) return {};
  const { histories, rebuildMs, rebuildPauseMs } = xdms;
  return { histories, rebuildMs, rebuildPauseMs };
}
