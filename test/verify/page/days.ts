/** Simulated days down to the octets, of a run that takes too long to be repeated for the page. */

import { readFileSync } from 'node:fs';
import { table, type Section } from './section.js';

/** As `poste-restante verify sim --wire --json` prints it. */
interface Run {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
  readonly digest: string;
  readonly failure?: { readonly text: string };
}

interface Days {
  readonly date: string;
  readonly runs: readonly Run[];
}

export const daysSection: Section = {
  title: 'Days down to the octets',
  write: () => {
    const file = new URL('../days/days.json', import.meta.url);
    const { date, runs } = JSON.parse(readFileSync(file, 'utf8')) as Days;
    const { hours, users } = runs[0]!;
    const sum = (of: (run: Run) => number): number => runs.reduce((all, run) => all + of(run), 0);
    const names = Object.keys(runs[0]!.counts);
    const rows = names.map((name) => [name, String(sum(({ counts }) => counts[name] ?? 0))]);
    const most = Math.max(...runs.map(({ memoryMiB }) => memoryMiB));
    const broken = runs.flatMap(({ seed, failure }) =>
      failure ? [`${seed}: ${failure.text}`] : [],
    );
    const verdict = broken.length > 0 ? `violated: ${broken.join('; ')}` : 'every property held';
    const digests = runs.map(({ seed, digest }) => [String(seed), `\`${digest.slice(0, 16)}\``]);
    const seeds = runs.map(({ seed }) => seed).join(', ');
    const cpuSeconds = sum((run) => run.cpuSeconds).toFixed(0);
    return `The record of a run of ${date}, for it takes long (\`npm run days\`, a process for each
seed): ${hours} simulated hours in each of ${runs.length} servers with ${users} users
(\`poste-restante verify sim --wire --seed <n> --hours ${hours} --users ${users}\`, seeds ${seeds}):
${verdict}. All together took ${cpuSeconds} s of a core; no process had more than
${most.toFixed(0)} MiB.

${table(['what', 'how many'], rows)}

${table(['seed', 'digest begins with'], digests)}`;
  },
};
