/** A simulated day. */

import { simulate } from '../../../src/verify/simulator.js';
import { table, type Section } from './section.js';

const day = { seed: 20261121, hours: 24, users: 100 };

export const simulatorSection: Section = {
  title: 'Simulator',
  write: async () => {
    const { figures, failure, seconds } = await simulate(day);
    const rows = Object.entries(figures).map(([name, figure]) => [name, String(figure)]);
    const verdict = failure ? `violated: ${failure.text}` : 'every property held';
    return `\`poste-restante verify sim --seed ${day.seed} --hours ${day.hours} --users ${day.users}\` runs the
actors on a virtual clock against simulated SIP and MSRP ports and the store in memory, with peers,
a network and a disk that fail: ${verdict}, ${seconds.toFixed(0)} s.

${table(['what', 'how many'], rows)}`;
  },
};
