/** A simulated day, down to the octets. */

import { simulateWire } from '../../../src/verify/simulation/wire-simulator.js';
import { table, type Section } from './section.js';

const day = { seed: 20261121, hours: 24, users: 20 };

export const wireSimulatorSection: Section = {
  title: 'Simulator down to the octets',
  write: async () => {
    const { figures, traffic, disk, failure, seconds, digest } = await simulateWire(day);
    const counts = { ...figures, ...traffic, ...disk };
    const rows = Object.entries(counts).map(([name, count]) => [name, String(count)]);
    const verdict = failure ? `violated: ${failure.text}` : 'every property held';
    return `\`poste-restante verify sim --wire --seed ${day.seed} --hours ${day.hours} --users ${day.users}\`
runs the whole server and clients on a virtual clock over datagrams and streams in memory, with a
write-ahead log on a disk in memory: ${verdict}, ${seconds.toFixed(0)} s. The digest of all octets and
their times begins with \`${digest.slice(0, 16)}\`; the same seed has the same.

${table(['what', 'how many'], rows)}`;
  },
};
