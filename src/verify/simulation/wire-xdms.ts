/** The XDMS of a simulated server: what HTTP would carry requests to. */

import type { AccountsPort } from '../../ports.js';
import { DeferredListUsage } from '../../transport/xcap/deferred-list.js';
import { XcapExchange } from '../../transport/xcap/exchange.js';
import { settingsUsage } from '../../transport/xcap/settings.js';

export const xcapRoot = '/xcap';
export const settingsOf = {
  auid: 'org.openmobilealliance.im-service-settings',
  contentType: 'application/im-settings+xml',
  name: 'im-settings',
};

/** That of one process. */
export function xcapOf(accounts: AccountsPort): XcapExchange {
  return new XcapExchange(xcapRoot, [
    new DeferredListUsage(accounts),
    settingsUsage({ accounts, root: xcapRoot, ...settingsOf }),
  ]);
}
