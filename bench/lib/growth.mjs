/** How what is stored grows: figures of the suite `scale`, panel by panel, as one picture. */

import { curvesSvg } from './curves.mjs';

/**
 * What a panel shows: `series` by the units of its figures, since some of them name how many
 * messages it was that expired.
 */
const panels = [
  {
    title: 'First 202 after kill -9',
    unit: 'ms',
    series: [{ of: /^ms from start to the first 202$/ }],
  },
  {
    title: 'Resident memory',
    unit: 'MB',
    series: [
      { name: 'at the first 202', of: /^MB resident at the first 202$/ },
      { name: 'in use', of: /^MB resident$/ },
    ],
  },
  {
    title: 'Disk for each octet of a body',
    unit: 'octets',
    series: [{ of: /^disk B per B of a body$/ }],
  },
  {
    title: '202 at 500/s, p99',
    unit: 'ms',
    series: [{ of: /^p99 ms of the 202 at 500\/s/ }],
  },
  { title: 'Push of 20 messages', unit: 'ms', series: [{ of: /^ms to push 20 messages$/ }] },
  {
    title: 'Retrieval of 20 messages, p99',
    unit: 'ms',
    series: [{ of: /^p99 ms to retrieve 20 messages$/ }],
  },
  { title: 'Expiry', unit: 'messages/s', series: [{ of: /^\d+ expire: messages\/s$/ }] },
  {
    title: 'Deletion of one mailbox',
    unit: 'messages/s',
    series: [{ of: /^a mailbox of \d+ is deleted: messages\/s$/ }],
  },
  {
    title: "Another user's 202 meanwhile, p99",
    unit: 'ms',
    series: [
      { name: 'expiry', of: /^p99 ms of another user's 202 while \d+ expire$/ },
      { name: 'deletion', of: /^p99 ms of another user's 202 while a mailbox of \d+ is deleted$/ },
    ],
  },
];

/** The picture of the newest figure at each size; undefined while there is one size only. */
export function growthSvg(lines) {
  const figures = lines.filter(({ suite, at }) => suite === 'scale' && at > 0);
  if (new Set(figures.map(({ at }) => at)).size < 2) return undefined;
  const drawn = panels.map(({ title, unit, series }) => ({
    title,
    unit,
    series: series.map(({ name, of }) => ({ name, points: pointsOf(figures, of) })),
  }));
  return curvesSvg('Growth with the number of stored messages', drawn);
}

/** `[messages, value]` each, the fewest messages first. */
function pointsOf(figures, unit) {
  const newest = new Map();
  for (const figure of figures) {
    const { at, median } = figure;
    if (unit.test(figure.unit) && Number.isFinite(median)) newest.set(at, median);
  }
  return [...newest].sort(([one], [other]) => one - other);
}
