/** Transitions that no input of an account leads to, each with the reason. */

const ends = 'whoever ends says so in its last turn, so that the mailbox tells nobody who is gone';
const atRest =
  'a message in memory goes with the process; the one that is read again hears nothing';
const atOnce = 'a message that is asked for its sender answers in the turn in which it is asked';
const lastWord = 'the mailbox knows nothing of a push any more that it has withdrawn';
const inTurn = 'a message answers its invitation in the turn of it, before a push is withdrawn';

/** They stand for what must not happen to an actor, whoever it is embedded with. */
export const unreachable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mailbox: {
    '(all) undelivered 0': ends,
    'available.pushing session.lost 0': 'a push under way is at rest a back-off',
    'available.pushing undelivered 0': ends,
    'available.pushing undelivered 1': ends,
  },
  'virtual-ua': {
    'stored timer.expired 1': 'no timer runs out before it was set for, and it is set for the end',
    'stored session.lost 0': atRest,
    'leased undelivered 0': 'a session that ends says bye to whom it has invited',
    'leased session.lost 0': atRest,
  },
  push: {
    'running.choosing ua.introduced 0': atOnce,
    'running.choosing undelivered 0': 'the mailbox knows which messages are there',
    'running.choosing timer.expired 0': atOnce,
    'running.choosing always 0': 'a push begins with a message, and the mailbox knows it is there',
    'running.draining ua.other 0': inTurn,
    'running.draining undelivered 0': inTurn,
    'running.draining message.added 0': lastWord,
    'running.draining withdraw 0': lastWord,
  },
};
