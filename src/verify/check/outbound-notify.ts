/** NOTIFY of message waiting: whether the counts in it are those of the account (RFC 3842). */

import type { Counts } from '../../machines/events.js';
import type { SubscriptionContext } from '../../machines/subscription.js';
import { WireError } from '../../wire/error.js';
import { parseMessageSummary, type MessageSummary } from '../../wire/message-summary.js';
import type { MailboxContext } from '../../machines/mailbox-context.js';
import { beforeMax, type Before } from './before.js';
import type { Deed } from './deed.js';
import type { Exchange, ResponseSpoken } from './exchange.js';
import type { Owed, VisibleEffect } from './owed.js';
import type { TrackedAccount } from './tracked-account.js';
import type { Expected } from './user-flow.js';

/** MWI-05: what changes within a second is told together, and clocks are not exact. */
const mergedMs = 2_000;

type Notify = Extract<VisibleEffect, { type: 'sip.notify' }>;

export function expectedNotify(exchange: Exchange): Expected {
  const { observed, message } = exchange.request;
  const state = (message.header('subscription-state') ?? '').split(';')[0]!.trim().toLowerCase();
  const summary = summaryOf(exchange);
  const isOfDialog = ({ effect }: Owed): boolean =>
    effect.type === 'sip.notify' && effect.dialog.callId === exchange.callId;
  const told = summary === undefined ? '' : ` with ${describe(summary)}`;
  return {
    observed,
    what: `NOTIFY ${state}${told}`,
    clause: 'IMSpec-DMT-S-005',
    match: (owed) => {
      const { effect } = owed;
      if (effect.type !== 'sip.notify' || !isOfDialog(owed)) return false;
      if (effect.state !== state) return false;
      return summary === undefined || saysCounts(summary, effect.counts);
    },
    // RFC 3842 3.11: changes that follow each other quickly may be told together.
    supersedes: (other) => isOfDialog(other) && observed.at - other.at < mergedMs,
    excuse: (accounts, before) => summary && excused(accounts, before, summary),
    after: (account, { effect }) =>
      summary === undefined ? account : named(account, effect as Notify, summary),
  };
}

function summaryOf({ request: { message, whole } }: Exchange): MessageSummary | undefined {
  if (!whole || message.body.length === 0) return undefined;
  try {
    return parseMessageSummary(message.body);
  } catch (error) {
    // Its form is judged elsewhere.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Messages that are counted, and were stored before the trace. */
function excused(
  accounts: readonly TrackedAccount[],
  before: Before,
  { classes }: MessageSummary,
): Before | undefined {
  const said = (of: 'new' | 'old') => classes.reduce((sum, one) => sum + one[of], 0);
  for (const { actors } of accounts) {
    const mailbox = actors.get('mailbox')?.snapshot.context as MailboxContext | undefined;
    const counts = Object.values(mailbox?.counts ?? {});
    const more = (of: 'new' | 'old') => said(of) - counts.reduce((sum, one) => sum + one[of], 0);
    const [fresh, old] = [before.fresh + more('new'), before.old + more('old')];
    if (fresh < before.fresh || old < before.old || fresh + old > beforeMax) continue;
    if (fresh + old > before.fresh + before.old) return { ...before, fresh, old };
  }
  return undefined;
}

/** D-43: under which class a server counts is its own affair. */
function saysCounts({ classes }: MessageSummary, counts: Counts): boolean {
  const all = Object.values(counts);
  const total = (of: 'new' | 'old') => all.reduce((sum, one) => sum + one[of], 0);
  const said = (of: 'new' | 'old') => classes.reduce((sum, one) => sum + one[of], 0);
  return said('new') === total('new') && said('old') === total('old');
}

function describe({ classes }: MessageSummary): string {
  const said = (of: 'new' | 'old') => classes.reduce((sum, one) => sum + one[of], 0);
  return `${said('new')} new, ${said('old')} old`;
}

/** The header blocks tell how the server calls its messages. */
function named(account: TrackedAccount, { added }: Notify, { headers }: MessageSummary) {
  let next = account;
  const ids = headers.map((block) => block.find(([name]) => /^message-id$/i.test(name))?.[1]);
  // Blocks are of the latest messages, in their order.
  const blocks = added.slice(Math.max(0, added.length - ids.length));
  if (blocks.length !== ids.length) return account;
  blocks.forEach(({ serial }, place) => {
    const id = ids[place];
    if (id !== undefined) next = next.withName(serial, canonicalMessageId(id));
  });
  return next;
}

/** D-01: with or without scheme and angle brackets. */
export function canonicalMessageId(text: string): string {
  return text
    .replace(/^<|>$/g, '')
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/, '');
}

/** The response of the subscriber. */
export function notifyAnswered({ callId }: Exchange, { observed, message }: ResponseSpoken): Deed {
  const { at } = observed;
  const { status } = message;
  return {
    observed,
    play: (flow) =>
      flow.feed(observed, ({ actors, limits }) => {
        for (const [to, { snapshot }] of actors) {
          if (!to.startsWith('subscription/')) continue;
          const { dialog } = snapshot.context as SubscriptionContext;
          if (dialog.callId !== callId) continue;
          return [{ to, event: { type: 'notify.answered', at, status, limits } }];
        }
        return [undefined];
      }),
  };
}
