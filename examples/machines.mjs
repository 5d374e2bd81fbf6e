// The machines of the server in a test of your own: every state of a push by xstate/graph, and SCXML.
import { getShortestPaths } from 'xstate/graph';
import { push } from 'poste-restante/machines';
import { machineNamed, toScxml } from 'poste-restante/verify';

const limits = { retrieval: { waitMs: 32_000 }, push: { window: 1 }, reportGraceMs: 0 };
const told = { at: 0, limits };
const target = { uri: 'sip:bob@192.0.2.1', route: [] };
const events = [
  { ...told, type: 'start', push: 1, targets: [target], serials: [1, 1] },
  { ...told, type: 'invite.answered', status: 486 },
  { ...told, type: 'withdraw' },
  { ...told, type: 'bye.answered' },
];
const paths = getShortestPaths(push.machine, {
  events,
  serializeState: ({ value }) => JSON.stringify(value),
});
const states = paths.map(({ state }) => JSON.stringify(state.value));
console.log(states.join(' '));
if (!states.includes('"ended"')) throw new Error('a push that is refused does not end');

const scxml = toScxml(machineNamed('push'));
if (!scxml.includes('<final id="ended">')) throw new Error('SCXML lacks the final state');
