// An invariant of your own in every reachable state of a bounded account.
import { defaultBounds, explore } from 'poste-restante/verify';

const few = { messages: 1, registrations: 1, sessions: 0, deletions: 0, repeats: 0 };
const bounds = { ...defaultBounds, ...few };
const patient = {
  name: 'patient',
  statement: 'The client is never invited twice at the same time.',
  broken: ({ peers }) =>
    peers.invites.size > 1 ? `${peers.invites.size} INVITEs are under way` : undefined,
};
const { complete, counterexample, statistics } = explore({ bounds, invariants: [patient] });
console.log(`${statistics.states} states, ${complete ? 'all of them' : 'not all'}`);
if (counterexample || !complete) throw new Error('the invariant was to hold');

// The other way round: what is to be found, is found.
const never = {
  name: 'never',
  statement: 'No client is ever invited.',
  broken: ({ peers }) => (peers.invites.size > 0 ? 'an INVITE is under way' : undefined),
};
const found = explore({ bounds, invariants: [never] }).counterexample;
console.log(`${found.property}: ${found.text}`);
if (found.property !== 'never') throw new Error('no way to an INVITE was found');
