/** Service settings of a user as an XCAP document (IM service settings, D-41). */

import type { AccountsPort, UserSettings } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { parseSettings, settingsNamespace, writeSettings } from '../../wire/xml/settings.js';
import type { XcapDocument } from '../../wire/xml/xcap-document.js';
import { XcapConflict } from '../../wire/xml/xcap-error.js';
import { ownedAccount } from './deferred-list.js';
import { DocumentsUsage } from './documents.js';
import type { DocumentsPort, KeptDocument } from './documents.js';

export interface SettingsUsageOptions {
  readonly accounts: AccountsPort;
  readonly root: string;
  /** None is registered, so that operators choose (STANDARDS: AUIDs registered for IM). */
  readonly auid: string;
  readonly contentType: string;
  /** Name of the document. */
  readonly name: string;
}

/** The owner reads and writes it; what the service does not know of it is not kept. */
export function settingsUsage(options: SettingsUsageOptions): DocumentsUsage {
  const { accounts, root, auid, contentType, name } = options;
  return new DocumentsUsage({
    ...{ auid, contentType, root },
    namespace: settingsNamespace,
    names: [name],
    documents: settingsDocuments(accounts),
    permit: (xui, identities) =>
      ownedAccount(accounts, xui, identities) === undefined ? undefined : 'write',
    check: (document) => void settingsOf(document),
  });
}

/** One document for each user, made of what is set. */
function settingsDocuments(accounts: AccountsPort): DocumentsPort {
  const kept = async (xui: string): Promise<KeptDocument | undefined> => {
    const account = accounts.accountOf(xui);
    if (account === undefined) return undefined;
    const { settings } = await accounts.summary(account);
    if (settings.offlineDelivery === undefined) return undefined;
    return { content: writeSettings(settings), etag: `offline-${settings.offlineDelivery}` };
  };
  return {
    read: kept,
    write: async (xui, _name, content, expected) => {
      const account = accounts.accountOf(xui);
      const present = await kept(xui);
      if (account === undefined || present?.etag !== expected) return 'stale';
      await accounts.configure(account, content ? parseSettings(content) : {});
      return kept(xui);
    },
  };
}

/** Throws XcapConflict `schema-validation-error`, `constraint-failure`. */
function settingsOf({ text }: XcapDocument): UserSettings {
  let settings: UserSettings;
  try {
    settings = parseSettings(Buffer.from(text));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new XcapConflict({ kind: 'schema-validation-error', phrase: error.hint });
  }
  if (settings.offlineDelivery === undefined) {
    const phrase = 'offline-delivery says nothing of active';
    throw new XcapConflict({ kind: 'constraint-failure', phrase });
  }
  return settings;
}
