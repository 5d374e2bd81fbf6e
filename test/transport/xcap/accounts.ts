/** Accounts in a Map, behind the port that the HTTP faces know. */

import type {
  AccountId,
  AccountsPort,
  AccountSummary,
  StoredHistory,
  UserSettings,
} from '../../../src/ports.js';

interface Kept {
  readonly histories: StoredHistory[];
  settings: UserSettings;
  version: number;
}

export const hostname = 's07.example.net';

export class MapAccounts implements AccountsPort {
  readonly calls: string[] = [];
  /** Rejects everything while it is set. */
  failure: Error | undefined;
  readonly #accounts = new Map<AccountId, Kept>();
  #serial = 0;

  /** Users by AoR without scheme, with the number of their messages. */
  constructor(users: Readonly<Record<string, number>>) {
    for (const [user, messages] of Object.entries(users)) {
      this.#accounts.set(user, { histories: [], settings: {}, version: 0 });
      for (let count = 0; count < messages; count++) this.add(user);
    }
  }

  add(user: AccountId, facts: Partial<StoredHistory> = {}): number {
    const serial = ++this.#serial;
    const kept = this.#accounts.get(user)!;
    kept.histories.push({
      serial,
      reference: `sip:${serial}@${hostname}`,
      size: 952,
      expiry: Date.UTC(2026, 10, 21, 9),
      subject: 'Keys',
      receivedAt: Date.UTC(2026, 10, 20, 9, 0, 1),
      date: Date.UTC(2026, 10, 20, 9),
      from: 'sip:nia@example.com',
      to: `sip:${user}`,
      authId: 'sip:nia@example.com',
      ...facts,
    });
    kept.version++;
    return serial;
  }

  accountOf(uri: string): AccountId | undefined {
    const aor = /^sips?:([^;?]+)$/.exec(uri)?.[1]?.toLowerCase();
    return aor !== undefined && this.#accounts.has(aor) ? aor : undefined;
  }

  serialOf(uri: string): number | undefined {
    const match = new RegExp(`^sip:([1-9][0-9]*)@${hostname}$`, 'i').exec(uri);
    return match ? Number(match[1]) : undefined;
  }

  async summary(account: AccountId): Promise<AccountSummary> {
    await this.#called('summary');
    const { histories, settings, version } = this.#accounts.get(account)!;
    const octets = histories.reduce((sum, { size }) => sum + size, 0);
    return {
      ...{ messages: histories.length, unread: histories.length, octets, settings },
      available: false,
      historyVersion: `v${version}`,
    };
  }

  async histories(
    account: AccountId,
    { after = 0, limit }: { readonly after?: number; readonly limit: number },
  ): Promise<readonly StoredHistory[]> {
    await this.#called(`histories ${after} ${limit}`);
    const { histories } = this.#accounts.get(account)!;
    const first = histories.findIndex(({ serial }) => serial > after);
    return first < 0 ? [] : histories.slice(first, first + limit);
  }

  async deleteMessages(account: AccountId, serials: readonly number[]): Promise<number> {
    await this.#called(`delete ${serials.join(' ')}`);
    const kept = this.#accounts.get(account)!;
    let deleted = 0;
    for (const serial of serials) {
      const at = kept.histories.findIndex((history) => history.serial === serial);
      if (at >= 0) deleted += kept.histories.splice(at, 1).length;
    }
    kept.version += deleted;
    return deleted;
  }

  async configure(account: AccountId, settings: UserSettings): Promise<void> {
    await this.#called(`configure ${JSON.stringify(settings)}`);
    this.#accounts.get(account)!.settings = settings;
  }

  #called(call: string): Promise<void> {
    this.calls.push(call);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}
