/** The ports of accounts: who has one, and what HTTP faces see of it. Part of `ports.ts`. */

import type { AccountId, AccountRange, Content, HistoryFacts } from '../ports.js';
import type { MessageRecord } from '../wire/mailbox-stream/record.js';

// ------------------------------------------------------------------------- provisioning

/** What an account has of its own; whatever is absent is as the settings say. */
export interface OwnLimits {
  /** Quota: messages and octets. */
  readonly messages?: number;
  readonly octets?: number;
  /** Seconds: what a message without Expires gets, and what a sender may ask for. */
  readonly expiryDefault?: number;
  readonly expiryMax?: number;
  /** Whether messages are pushed to a user who has not said so himself (D-41). */
  readonly push?: boolean;
}

/** A user who was given an account by provisioning. */
export interface ProvisionedAccount {
  readonly account: AccountId;
  /** Further identities that lead to it, as `user@domain` or `+digits`: an implicit set. */
  readonly identities: readonly string[];
  /** Nobody is served under it: as if there were no such user. What is stored expires in time. */
  readonly disabled: boolean;
  readonly limits: OwnLimits;
}

/** The directory of users who have an account. Identities are canonical AoRs. */
export interface ProvisioningPort {
  /**
   * Whose identity it is: the AoR of an account, or a further one. Asked for every request, and
   * therefore answered at once. Throws a `StoreError` when it cannot be known.
   */
  find(identity: string): ProvisionedAccount | undefined;
  /** In the order of their octets, behind `after`. */
  list(range: AccountRange): Promise<readonly ProvisionedAccount[]>;
  /**
   * Durable when resolved. Rejects with STORE_CONFLICT when an identity belongs to another account,
   * or when there is such an account and `when` is `absent`, or none and it is `present`.
   */
  put(record: ProvisionedAccount, when?: 'absent' | 'present'): Promise<void>;
  /** False: there was none. */
  remove(account: AccountId): Promise<boolean>;
}

/** Further identities of a user as his S-CSCF has told them (RFC 7315 4.1). */
export interface Association {
  readonly account: AccountId;
  /** Canonical AoRs. */
  readonly identities: readonly string[];
  /** ms since the epoch; they count no longer. */
  readonly until: number;
}

/** A table of them that outlives the process. */
export interface AssociationsPort {
  /** In the order of their accounts, behind `after`. */
  list(range: AccountRange): Promise<readonly Association[]>;
  /** In place of what was there of that account, nothing when it has no identities. */
  put(association: Association): Promise<void>;
}

// ----------------------------------------------------------------------------- accounts

/** Settings that a user has, as far as they are set (IM service settings, D-41). */
export interface UserSettings {
  /** `offline-delivery/@active`: whether messages are pushed. */
  readonly offlineDelivery?: boolean;
}

/** A stored message in the metadata of its account. */
export interface StoredHistory extends HistoryFacts {
  readonly serial: number;
}

export interface AccountSummary {
  readonly messages: number;
  /** Of those, the ones that were never delivered (D-44). */
  readonly unread: number;
  readonly octets: number;
  /** ms since the epoch; of the oldest message. */
  readonly oldestAt?: number;
  readonly settings: UserSettings;
  /** Whether a client with the IM capability is registered. */
  readonly available: boolean;
  /** The operator has stopped delivery. */
  readonly paused?: true;
  /** Changes with every change of the set of stored messages, and with nothing else. */
  readonly historyVersion: string;
}

/**
 * Accounts as the HTTP faces see them: XCAP and administration. What changes an account is an input
 * of its actors; a promise resolves when that is durable. Rejects with a coded error when the
 * store or the queue of the account refuses.
 */
export interface AccountsPort {
  /** The account behind a sip:, sips: or tel: URI; undefined: nobody who is served here. */
  accountOf(uri: string): AccountId | undefined;
  /** The serial that a Message-ID URI of this store names, or undefined. */
  serialOf(uri: string): number | undefined;
  summary(account: AccountId): Promise<AccountSummary>;
  /** Histories of stored messages in ascending order behind `after`, at most `limit`. */
  histories(
    account: AccountId,
    range: { readonly after?: number; readonly limit: number },
  ): Promise<readonly StoredHistory[]>;
  /**
   * D-31: deletes them for good. Resolves with the number of those that existed when that is
   * decided: nobody sees them any more; their octets go in time.
   */
  deleteMessages(account: AccountId, serials: readonly number[]): Promise<number>;
  configure(account: AccountId, settings: UserSettings): Promise<void>;
}

/** What an attempt to push has come to: it is under way, there is nothing to push, or nobody. */
export type PushOutcome = 'pushing' | 'nothing' | 'unavailable' | 'paused';

/** Messages of another store on their way into an account. */
export interface MailboxImport {
  /** Whether such a message stood there when the import began. */
  isKnown(record: MessageRecord): boolean;
  /** Rejects with `ACCOUNT_FULL` when so much more would not be kept. */
  admit(messages: number, octets: number): Promise<void>;
  /**
   * Resolves when it is durable; `known`: it stood there already. What is taken while another
   * promise is pending comes behind it. The content is not read any more when the promise settles.
   */
  take(record: MessageRecord, content: Content): Promise<'kept' | 'known'>;
  /** Nothing more comes, and nothing is held for it. */
  end(): void;
}

/** Accounts as their operator sees them. */
export interface OperatorPort extends AccountsPort {
  /** Whether anything was ever kept for it, served or not. */
  exists(account: AccountId): Promise<boolean>;
  /** Accounts for which something is kept. */
  accounts(range: AccountRange): Promise<readonly AccountId[]>;
  /** Deletes all its messages, as `deleteMessages` does. */
  purge(account: AccountId): Promise<number>;
  /**
   * Takes away everything that is kept for it, whoever subscribes included (EVT-04). Resolves when
   * that is decided for good, with the number of messages; what was kept goes in time. `moved`:
   * without the reports that would be owed.
   */
  remove(account: AccountId, how?: { readonly moved: boolean }): Promise<number>;
  /** Stops and resumes delivery of what the user does not ask for (U25). Durable when resolved. */
  pause(account: AccountId, paused: boolean): Promise<void>;
  /** An old message is to be a new one again; false: no such message is stored. */
  requeue(account: AccountId, serial: number): Promise<boolean>;
  /** Everything that is known of stored messages, in ascending order (U26). */
  records(
    account: AccountId,
    range: { readonly after?: number; readonly limit: number },
  ): Promise<readonly MessageRecord[]>;
  beginImport(account: AccountId): Promise<MailboxImport>;
  /** Pushes at once what waits, also what the client has not taken before. */
  push(account: AccountId): Promise<PushOutcome>;
  /** The octets of a message as stored. */
  content(account: AccountId, serial: number): Promise<Content | undefined>;
}
