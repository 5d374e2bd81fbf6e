/** The world of the Promela model: sender, user, peers of SIP and MSRP, time and power. */

import { messages } from './promela-bounds.js';
import type { Scenario } from './promela-scenarios.js';

/** Each may do what it does whenever it likes; what is to its disadvantage, as often as allowed. */
export function promelaWorld(scenario: Scenario): string {
  const serials = messages.slice(0, scenario.messages);
  const sessions = scenario.retrievals > 0 ? ['push', 'focus'] : ['push'];
  const processes: readonly (readonly [name: string, choices: string])[] = [
    ['SipPeer', sipChoices(sessions)],
    ['MsrpPeer', sessions.map((name) => mediaChoices(name, serials)).join('')],
    ['Clock', clockChoices(scenario, sessions, serials)],
    ['Expiry', serials.map(expiryChoice).join('')],
    ['Power', '\n  :: atomic { crashes < CRASHES -> crashes++; input!mailbox,crash,0 }'],
  ];
  return `${sender(scenario)}
${user(scenario, serials)}
${processes
  .map(([name, choices]) => `active proctype ${name}() {\nend:\n  do${choices}\n  od\n}\n`)
  .join('\n')}`;
}

function sender({ messages: count }: Scenario): string {
  return `active proctype Sender() {
  byte sent;
end:
  do
  :: atomic { sent < ${count} && !late -> sent++; input!mailbox,message_received,sent }
  :: atomic { sent == ${count} && !late -> late = 1; break }
  od
}
`;
}

function user(scenario: Scenario, serials: readonly number[]): string {
  const { registrations, retrievals, deletions } = scenario;
  const retrieve = `
  :: atomic { retrieved < ${retrievals} && focus_place == focus_in_absent ->
      retrieved++; input!mailbox,retrieval_requested,0 }`;
  const erase = `
  :: atomic { deletions < ${deletions} && content[1] ->
      deletions++; asked[1] = 1; input!mailbox,deletion_requested,1 }`;
  const names = [
    'registered',
    ...(retrievals > 0 ? ['retrieved'] : []),
    ...(deletions > 0 ? ['deletions'] : []),
  ];
  return `active proctype User() {
  byte ${names.join(', ')};
end:
  do
  /* The model has one push: a client that comes back finds the one before at its end. */
  :: atomic { registered < ${registrations} && push_place == push_in_absent ->
      registered++; ${serials.map((n) => `refused[${n}] = 0; `).join('')}
      input!mailbox,register_received_bind,0 }
  :: atomic { mailbox_bound && faults < FAULTS ->
      faults++; input!mailbox,register_received_unbind,0 }${retrievals > 0 ? retrieve : ''}${
        deletions > 0 ? erase : ''
      }
  od
}
`;
}

function sipChoices(sessions: readonly string[]): string {
  const acknowledge = `
  :: atomic { dialog[focus] == INVITED -> dialog[focus] = STANDS; input!focus,ack_received,0 }
  :: atomic { dialog[focus] == INVITED && faults < FAULTS ->
      faults++; dialog[focus] = NONE; input!focus,ack_missing,0 }`;
  const ends = (name: string): string => `
  :: atomic { dialog[${name}] == ENDING -> dialog[${name}] = NONE; input!${name},bye_answered,0 }
  :: atomic { dialog[${name}] == STANDS && faults < FAULTS ->
      faults++; dialog[${name}] = NONE; input!${name},bye_received,0 }`;
  return `
  :: atomic { dialog[push] == INVITED ->
      dialog[push] = STANDS; input!push,invite_answered_200,0 }
  :: atomic { dialog[push] == INVITED && faults < FAULTS ->
      faults++; dialog[push] = NONE; input!push,invite_answered_486,0 }
  :: atomic { dialog[push] == INVITED && faults < FAULTS ->
      faults++; dialog[push] = NONE; input!push,invite_failed,0 }${
        sessions.includes('focus') ? acknowledge : ''
      }${sessions.map(ends).join('')}`;
}

function mediaChoices(name: string, serials: readonly number[]): string {
  return `
  :: atomic { link[${name}] == UNBOUND -> link[${name}] = BOUND; input!${name},msrp_connected,0 }
  :: atomic { link[${name}] == BOUND && faults < FAULTS ->
      faults++; link[${name}] = NONE; flying(${name}, 1) = 0; flying(${name}, 2) = 0;
      input!${name},msrp_lost,0 }${serials.map((n) => sendChoices(name, n)).join('')}`;
}

/** Of a SEND: its answer, then the report that was asked for. */
function sendChoices(name: string, n: number): string {
  return `
  :: atomic { flying(${name}, ${n}) == SENT ->
      flying(${name}, ${n}) = AWAITED; input!ua + ${n},msrp_sent_${name}_200,0 }
  :: atomic { flying(${name}, ${n}) == SENT && faults < FAULTS ->
      faults++; flying(${name}, ${n}) = NONE; refused[${n}] = 1;
      input!ua + ${n},msrp_sent_${name}_413,0 }
  :: atomic { flying(${name}, ${n}) == SENT && faults < FAULTS ->
      faults++; flying(${name}, ${n}) = NONE; input!ua + ${n},msrp_sent_${name}_408,0 }
  :: atomic { flying(${name}, ${n}) == AWAITED ->
      flying(${name}, ${n}) = NONE; input!ua + ${n},msrp_reported_${name}_200,0 }
  :: atomic { flying(${name}, ${n}) == AWAITED && faults < FAULTS ->
      faults++; flying(${name}, ${n}) = NONE; refused[${n}] = 1;
      input!ua + ${n},msrp_reported_${name}_413,0 }`;
}

function clockChoices(
  { deletions }: Scenario,
  sessions: readonly string[],
  serials: readonly number[],
): string {
  const wait = (name: string): string => `
  :: atomic { timer_${name}_wait && faults < FAULTS ->
      faults++; timer_${name}_wait = 0; input!${name},timer_expired_wait,0 }`;
  const grace = (n: number): string => `
  :: atomic { timer_ua_grace[${n}] && faults < FAULTS ->
      faults++; timer_ua_grace[${n}] = 0; input!ua + ${n},timer_expired_grace,0 }`;
  const batches = `
  :: atomic { alarm_mailbox_deletion ->
      alarm_mailbox_deletion = 0; input!mailbox,timer_expired_deletion,0 }`;
  return `${sessions.map(wait).join('')}
  :: atomic { alarm_mailbox_push -> alarm_mailbox_push = 0; input!mailbox,timer_expired_push,0 }${
    deletions > 0 ? batches : ''
  }
  :: atomic { alarm_mailbox_registration && faults < FAULTS ->
      faults++; alarm_mailbox_registration = 0; input!mailbox,timer_expired_registration,0 }${serials
        .map(grace)
        .join('')}`;
}

function expiryChoice(n: number): string {
  return `
  :: atomic { late && alarm_ua_expiry[${n}] ->
      alarm_ua_expiry[${n}] = 0; input!ua + ${n},timer_expired_expiry,0 }`;
}
