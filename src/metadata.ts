/** Joins the faces of metadata to what is behind them: the XCAP server of the embedded XDMS. */

import { createHttpAuthentication } from './actors/authentication-http.js';
import type { AuthenticationOptions } from './actors/authentication.js';
import type { Settings } from './config.js';
import { readPem } from './pem-file.js';
import type { AccountsPort, Clock, Log, Random } from './ports.js';
import { DeferredListUsage } from './transport/xcap/deferred-list.js';
import type { XcapTls } from './transport/xcap/options.js';
import { createXcapServer } from './transport/xcap/server.js';
import type { XcapServer } from './transport/xcap/server.js';
import { settingsUsage } from './transport/xcap/settings.js';
import { version } from './version.js';

export interface MetadataWorld {
  readonly accounts: AccountsPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Undefined when the settings ask for none. Throws ConfigError, or that of a bad certificate. */
export function xcapServerOf(
  { xcap }: Settings,
  authentication: AuthenticationOptions | undefined,
  { accounts, clock, random, log }: MetadataWorld,
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
    product: `XDM-serv/OMA1.0 PosteRestante/${version}`,
  });
}

export function xcapTls(files: NonNullable<NonNullable<Settings['xcap']>['tls']>): XcapTls {
  return { certificate: readPem(files.certificate), key: readPem(files.key) };
}
