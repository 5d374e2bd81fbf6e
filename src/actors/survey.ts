/**
 * What is stored for everybody, counted in the background: account by account, a page at a time, so
 * that whoever asks for the figures is answered at once, however much there is (U15).
 */

import { mailbox as mailboxMachine } from '../machines/index.js';
import type { AtRest } from '../machines/index.js';
import { kept } from '../machines/mailbox-context.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import { countSerials, difference } from '../machines/serial-set.js';
import type { AccountId, Clock, Log, StorePort } from '../ports.js';
import type { OutboxRow } from './outbox.js';

export interface SurveyParts {
  readonly store: Pick<StorePort, 'accounts' | 'scan'>;
  readonly clock: Clock;
  readonly log: Log;
  /** ms between two rounds, 0: none; ms between two pages. */
  readonly bounds: { readonly surveyMs: number; readonly surveyPauseMs: number };
}

/** Accounts looked at in one go. */
const page = 64;
/** Times as long as a page takes is the least pause behind it: counting is nobody's business. */
const pauses = 9;
/** Rows of one outbox that are counted. */
const outboxMax = 1_024;

interface Figures {
  accounts: number;
  paused: number;
  messages: number;
  unread: number;
  octets: number;
  largest: number;
  outbox: number;
  /** ms since the epoch; Infinity: there is none. */
  oldestUnreadAt: number;
  oldestOutboxAt: number;
}

const nothing: Readonly<Figures> = {
  ...{ accounts: 0, paused: 0, messages: 0, unread: 0, octets: 0, largest: 0, outbox: 0 },
  ...{ oldestUnreadAt: Infinity, oldestOutboxAt: Infinity },
};

export class Survey {
  readonly #parts: SurveyParts;
  /** Of the last whole round. */
  #figures: Readonly<Figures> | undefined;
  #endedAt = 0;
  #withdraw: (() => void) | undefined;
  #stopped = true;

  constructor(parts: SurveyParts) {
    this.#parts = parts;
  }

  /** Rounds follow each other from here on, the first one at once. */
  start(): void {
    if (this.#parts.bounds.surveyMs === 0) return;
    this.#stopped = false;
    void this.#rounds();
  }

  stop(): void {
    this.#stopped = true;
    this.#withdraw?.();
  }

  /** Nothing until the first round is over. */
  counters(): Readonly<Record<string, number>> {
    if (!this.#figures) return {};
    const { oldestUnreadAt, oldestOutboxAt, ...figures } = this.#figures;
    const named = Object.entries(figures).map(([name, value]) => [`survey.${name}`, value]);
    return {
      ...(Object.fromEntries(named) as Record<string, number>),
      'survey.oldestUnreadSeconds': this.#seconds(oldestUnreadAt),
      'survey.oldestOutboxSeconds': this.#seconds(oldestOutboxAt),
      'survey.ageSeconds': this.#seconds(this.#endedAt),
    };
  }

  #seconds(since: number): number {
    if (since === Infinity) return 0;
    return Math.max(0, Math.floor((this.#parts.clock.now() - since) / 1000));
  }

  async #rounds(): Promise<void> {
    try {
      const figures = await this.#round();
      if (!this.#stopped) {
        this.#figures = figures;
        this.#endedAt = this.#parts.clock.now();
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : String(error);
      // The figures of the round before stand, and tell their age.
      if (!this.#stopped) this.#parts.log.warn({ code }, 'what is stored was not counted');
    }
    if (this.#stopped) return;
    this.#withdraw = this.#parts.clock.after(
      this.#parts.bounds.surveyMs,
      () => void this.#rounds(),
    );
  }

  async #round(): Promise<Figures> {
    const { store } = this.#parts;
    const figures = { ...nothing };
    let after: AccountId | undefined;
    for (;;) {
      const begun = this.#parts.clock.now();
      const range = after === undefined ? { limit: page } : { after, limit: page };
      const accounts = await store.accounts(range);
      for (const account of accounts) {
        if (this.#stopped) return figures;
        await this.#add(account, figures);
      }
      after = accounts.at(-1);
      if (accounts.length < page) return figures;
      await this.#pause(this.#parts.clock.now() - begun);
    }
  }

  async #add(account: AccountId, figures: Figures): Promise<void> {
    const { store } = this.#parts;
    figures.accounts++;
    const outbox = await store.scan(account, { kind: 'outbox', limit: outboxMax });
    figures.outbox += outbox.length;
    const [first] = outbox;
    if (first) {
      const { at } = first.value as OutboxRow;
      figures.oldestOutboxAt = Math.min(figures.oldestOutboxAt, at);
    }
    // Mostly nobody has looked at them for long: a `get` would hold everybody up while the disk reads.
    const actors = await store.scan(account, { kind: 'actor', limit: 1 });
    const [actor] = actors.filter(({ key }) => key[1] === 'mailbox');
    if (!actor) return;
    const context = mailboxMachine.revive(actor.value as AtRest).context as MailboxContext;
    const stored = kept(context);
    const unread = difference(stored, context.old);
    const messages = countSerials(stored);
    figures.messages += messages;
    figures.unread += countSerials(unread);
    figures.octets += context.octets;
    figures.largest = Math.max(figures.largest, messages);
    if (context.paused) figures.paused++;
    const [oldest] = unread;
    if (oldest === undefined) return;
    const range = { kind: 'ua', after: oldest - 1, upTo: oldest, limit: 1 } as const;
    const [row] = await store.scan(account, range);
    const { receivedAt } = (row?.value as AtRest | undefined)?.context ?? {};
    if (typeof receivedAt === 'number') {
      figures.oldestUnreadAt = Math.min(figures.oldestUnreadAt, receivedAt);
    }
  }

  #pause(took: number): Promise<void> {
    const { clock, bounds } = this.#parts;
    const ms = Math.max(bounds.surveyPauseMs, pauses * took);
    return new Promise((resolve) => {
      this.#withdraw = clock.after(ms, resolve);
    });
  }
}
