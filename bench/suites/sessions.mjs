/** Many MSRP sessions at a time: large messages in, stored messages out, and the memory for it. */

import { Ours } from '../lib/ours.mjs';
import { manySessions } from '../sessions.mjs';

export const about = '1,000 MSRP sessions at a time, in and out, and what they take of memory';

const messages = 20;

export async function run(bench) {
  const sessions = bench.quick ? 100 : 1_000;
  const results = [];
  for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
    bench.say(`sessions, ${sessions}: ${repetition} of ${bench.repetitions}`);
    const server = await new Ours().open();
    try {
      const [pid] = server.pids;
      results.push(await manySessions({ port: server.port, pid, sessions, messages }));
    } finally {
      await server.close();
    }
  }
  const name = `${sessions} sessions`;
  const missing = ({ pushed }) => pushed.expected - pushed.delivered + pushed.disorder;
  const sum = (of) => results.reduce((total, result) => total + of(result), 0);
  const lost = { in: sum(({ taken }) => sessions - taken.kept), out: sum(missing) };
  const one = (what, unit, better, loss, of) =>
    bench.figure({
      ...{ who: 'ours', name: `${name}${what}`, unit, better, loss },
      values: results.map(of),
    });
  const perSession = (held, idle) => ((held - idle) * 1_024) / sessions;
  one(' half-way in', 'KiB of memory each', 'less', lost.in, ({ taken, idle }) =>
    perSession(taken.resident, idle),
  );
  one(' with messages out', 'KiB of memory each', 'less', lost.out, ({ pushed, idle }) =>
    perSession(pushed.resident, idle),
  );
  one(' of 256 KiB each', 's until all are kept', 'less', lost.in, ({ taken }) => taken.seconds);
  one(`, ${messages} messages each`, 's until all are delivered', 'less', lost.out, (result) => {
    return result.pushed.seconds;
  });
}
