/** A push session for one sender: it asks its first message, and its INVITE may bring it (1.6). */

import { tell } from './declaration.js';
import type { FirstMessage, Tell } from './effects.js';
import { isCarried } from './policy.js';
import { ask, change, effect, type On } from './push-context.js';
import { addSerial, firstSerials, noSerials, removeSerial } from './serial-set.js';

/** What the client takes of a message in an INVITE. */
const invitationMedia = { acceptTypes: ['message/cpim'], acceptWrappedTypes: [] };

export const senderGuards = {
  isBySender: ask((_context, { limits }: On<'start'>) => limits.profile?.bySender === true),
  isNotChosen: ask(({ invited }, { serial }: On<'ua.introduced'>) => !invited.includes(serial)),
  isCarried: ask((_context, { message, limits }: On<'ua.introduced'>) =>
    isCarried(message, limits),
  ),
};

export const senderChanges = {
  /** The oldest message says for whom the session is. */
  chooseFirst: change(({ todo, invited }) => {
    const first = firstSerials(todo, 1);
    return { todo: first.reduce(removeSerial, todo), invited: [...invited, ...first] };
  }),
  keepCarried: change((_context, event: On<'ua.introduced'>) => ({
    sender: event.sender,
    first: firstOf(event, true),
  })),
  /** It comes like all others. */
  keepSender: change(({ todo }, event: On<'ua.introduced'>) => ({
    sender: event.sender,
    first: firstOf(event, false),
    todo: addSerial(todo, event.serial),
    invited: [],
  })),
  /** The mailbox pushes what is left in another session. */
  noteOther: change(({ todo, invited, others }, { serial, limits }: On<'ua.other'>) => ({
    others: others + 1,
    invited: invited.filter((other) => other !== serial),
    todo: others + 1 < (limits.profile?.lookAhead ?? 1) ? todo : noSerials,
  })),
};

export const tellIntroduce = effect('tell', ({ session, todo }, { at, limits }) =>
  firstSerials(todo, 1).map((serial): Tell =>
    tell(`ua/${serial}`, { type: 'introduce', at, session, limits }),
  ),
);

/** The message is leased while the INVITE that brings it is under way. */
export const tellCarried = effect(
  'tell',
  ({ session }, { serial, sender, at, limits }: On<'ua.introduced'>) =>
    tell(`ua/${serial}`, {
      ...{ type: 'invite', at, session, media: invitationMedia, sender, limits },
      carried: true,
    }),
);

/** A 2xx to the INVITE is the answer to the message in it, and its report. */
export const confirmCarried = effect('tell', ({ session, first }, { at, limits }) => {
  if (first?.carried !== true) return [];
  const to = `ua/${first.serial}` as const;
  const outcome = { at, session, status: 200, limits };
  const sent = tell(to, { type: 'msrp.sent', ...outcome });
  if (limits.reportGraceMs === 0) return [sent];
  return [sent, tell(to, { type: 'msrp.reported', ...outcome })];
});

function firstOf(event: On<'ua.introduced'>, carried: boolean): FirstMessage {
  const { serial, message, receivedAt } = event;
  return { serial, message, receivedAt, carried };
}
