/** What the mailbox of an account may be asked: its alphabet, and facts that other actors judge. */

import type { FocusEvent, ConferenceEvent, MailboxEvent } from '../../../src/machines/events.js';
import type { ActorSnapshot } from '../../../src/machines/index.js';
import type { MailboxContext } from '../../../src/machines/mailbox-context.js';
import { alphabetOf } from '../alphabet.js';
import { limits, noneAccepted, offer, pager, retrieval } from '../facts.js';

type On<Type extends MailboxEvent['type']> = Extract<MailboxEvent, { readonly type: Type }>;

export const carol = 'sip:carol@example.org';
/** Octets that no INVITE brings along. */
export const heavy = 20_000;

/** The alphabet alone. */
export function alphabetOfMailbox(snapshot: ActorSnapshot, at: number): readonly MailboxEvent[] {
  return alphabetOf('mailbox')!.events(snapshot, at) as readonly MailboxEvent[];
}

export function eventsForMailbox(snapshot: ActorSnapshot, at: number): readonly MailboxEvent[] {
  const events = alphabetOfMailbox(snapshot, at);
  const { foci } = snapshot.context as MailboxContext;
  const asked = events.flatMap((event) => [...messagesLike(event), ...fetchLike(event)]);
  return [...events, ...asked, ...retrievals(at), ...watchers(foci[0], at)];
}

/** From somebody else, too large for an INVITE, and one that has expired on its way here. */
function messagesLike(event: MailboxEvent): MailboxEvent[] {
  if (event.type === 'message.received' && isPlain(event)) {
    const others = [
      { ...pager, from: carol },
      { ...pager, size: heavy },
    ];
    return others.map((message) => ({ ...event, message }));
  }
  if (event.type !== 'message.imported' || event.duplicate || event.imported.read) return [];
  return [{ ...event, imported: { ...event.imported, expiresAt: event.at - 1 } }];
}

function isPlain({ message, duplicate, forward, deferred }: On<'message.received'>): boolean {
  return message === pager && !duplicate && !forward && !deferred;
}

/** SUBSCRIBE for the present state only. */
function fetchLike(event: MailboxEvent): MailboxEvent[] {
  if (event.type !== 'subscribe.received' || event.subscribe.expires !== 3600) return [];
  return [{ ...event, subscribe: { ...event.subscribe, expires: 0 } }];
}

/** Everything that a focus may have to judge, and a client that takes none of what we have. */
function retrievals(at: number): MailboxEvent[] {
  const judged = birthsOf('focus/0', at).flatMap((event) =>
    event.type === 'retrieval.requested' ? [event.retrieval] : [],
  );
  const unwilling = { ...retrieval, offer: { ...offer, ...noneAccepted } };
  return [...new Set([...judged, unwilling])]
    .filter((facts) => facts !== retrieval)
    .map((facts) => ({
      ...{ type: 'retrieval.requested', at, limits, transaction: 't', retrieval: facts },
    }));
}

/** Inside the dialog of the INVITE, and to be told once. */
function watchers(focus: number | undefined, at: number): MailboxEvent[] {
  if (focus === undefined) return [];
  const events = [...birthsOf('focus/0', at), ...birthsOf('conference/0', at)];
  return events.flatMap((event): MailboxEvent[] => {
    if (event.type !== 'conference.requested' && event.type !== 'subscribe.received') return [];
    const { subscribe } = event;
    return [{ type: 'conference.requested', at, limits, transaction: 't', focus, subscribe }];
  });
}

function birthsOf(address: 'focus/0', at: number): readonly FocusEvent[];
function birthsOf(address: 'conference/0', at: number): readonly ConferenceEvent[];
function birthsOf(address: 'focus/0' | 'conference/0', at: number): unknown {
  const { events, definition } = alphabetOf(address)!;
  return events(definition.unborn, at);
}
