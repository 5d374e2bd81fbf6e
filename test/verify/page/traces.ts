/** The corpus of traces, and what Kamailio msilo does otherwise. */

import { isInstalled } from '../../server-process.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { checkTrace, type Role } from '../../../src/verify/check/check.js';
import { clientMutations } from '../check/client-mutations.js';
import type { Mutation } from '../check/mutate.js';
import { mutations as ofSignalling } from '../check/mutations.js';
import { xcapMutations } from '../check/xcap-mutations.js';
import { recordMsilo } from '../check/msilo/record.js';
import { plays } from '../check/plays.js';
import { recorded } from '../check/recorded.js';
import { table, type Section } from './section.js';

const mutations = [...ofSignalling, ...xcapMutations];

export const tracesSection: Section = {
  title: 'Traces',
  write: async () => {
    const traces = new Map<string, readonly Observed[]>();
    for (const [name, { play, limits }] of Object.entries(plays)) {
      traces.set(name, await recorded(play, limits));
    }
    const all = [...traces.values()];
    const messages = all.reduce((sum, one) => sum + one.length, 0);
    const conform = all.filter((one) => checkTrace({ messages: one, remarks: [] }).conforms);
    const rejected = mutations.filter((mutation) => isRejected(mutation, traces, 'server'));
    const caught = clientMutations.filter((mutation) => isRejected(mutation, traces, 'client'));
    const whole = [...mutations, ...clientMutations].filter(({ fromStart }) => fromStart);
    return `\`poste-restante verify check <trace>\` judges a pcap, pcapng, HEP or NDJSON file by the machines
([ADR 0021](adr/0021-traces-judged-by-the-machines.md)). Of a corpus of ${all.length} flows between the
real server and its peers over real sockets (${messages} messages) ${conform.length} conform, whole and cut
anywhere (\`test/verify/check/cut.test.ts\`). Of ${mutations.length} named mutations of what the server says
${rejected.length} are rejected at the right message with the right clause
(\`test/verify/check/mutations.ts\`, \`xcap-mutations.ts\`), and of ${clientMutations.length} of what clients say ${caught.length} (\`--role client\`,
\`client-mutations.ts\`); ${whole.length} of all only where the trace is known to be whole (\`--from-start\`).

${await msilo()}`;
  },
};

function isRejected(
  { of, clause, mutate, fromStart, options }: Mutation,
  traces: ReadonlyMap<string, readonly Observed[]>,
  role: Role,
): boolean {
  const { messages, at } = mutate(traces.get(of)!);
  const [first] = checkTrace(
    { messages, remarks: [] },
    { fromStart: fromStart === true, role, ...options },
  ).violations;
  return first?.clause.id === clause && first.number === at;
}

async function msilo(): Promise<string> {
  if (!isInstalled('kamailio')) return 'Kamailio was not installed in this run.';
  const { messages } = await recordMsilo();
  const { violations } = checkTrace({ messages, remarks: [] });
  const rows = violations.map(({ number, clause, found }) => [
    ...[String(number), `\`${clause.id}\``, clause.text, found],
  ]);
  return `Kamailio msilo (\`test/verify/check/msilo\`) stores messages and brings them back, and differs from
deferred messaging in ${rows.length} of ${messages.length} messages:

${table(['message', 'clause', 'which says', 'what was seen'], rows)}`;
}
