/** What we promise ourselves, judged by the newest figure of each. */

import { notDurable } from '../peers/databases.mjs';

/** `find(unit)` in all figures of a suite, by what was measured. */
export function targets(figures) {
  return [
    ...storeTargets(figures),
    ...shardTargets(figures),
    ...latencyTargets(figures),
    ...pushTargets(figures),
    ...simple(figures, 'large', '%', (value) => value >= 50, 'at least 50 %'),
    ...simple(figures, 'recovery', 'ms to the first answer', (value) => value < 1000, 'below 1 s'),
  ];
}

function byName(figures, suite, unit) {
  const names = new Map();
  for (const figure of figures) {
    if (figure.suite !== suite || figure.unit !== unit) continue;
    names.set(figure.name, [...(names.get(figure.name) ?? []), figure]);
  }
  return names;
}

const isDurable = ({ who }) => who.startsWith('kamailio/') && !isLazy(who);
const isLazy = (who) => notDurable.has(who.replace('kamailio/', ''));

function storeTargets(figures) {
  const all = [];
  for (const [name, measured] of byName(figures, 'store', 'stored/s')) {
    const ours = measured.find(({ who }) => who === 'ours');
    const durable = best(measured.filter(isDurable));
    const lazy = best(measured.filter(({ who }) => isLazy(who)));
    if (ours && durable) all.push(ratio(`${name}: stored/s, ${durable.who}`, ours, durable, 3));
    if (ours && lazy) all.push(ratio(`${name}: stored/s, ${lazy.who}`, ours, lazy, 1));
  }
  return [
    ...all,
    ...simple(figures, 'store', 'µs CPU per store', (value) => value <= 60, 'at most 60 µs'),
  ];
}

function shardTargets(figures) {
  return [...byName(figures, 'shards', 'stored/s')].flatMap(([name, measured]) => {
    const one = measured.find(({ who }) => who === 'ours');
    const two = measured.find(({ who }) => who === 'ours, 2 shards');
    return one && two ? ratio(`${name}: stored/s, 2 shards to 1 process`, two, one, 1.4) : [];
  });
}

/** Below the better of the durable peers that bore the load. */
function latencyTargets(figures) {
  return ['p50 ms', 'p99 ms'].flatMap((unit) =>
    [...byName(figures, 'store', unit)]
      .filter(([name]) => name.endsWith('offered'))
      .flatMap(([name, measured]) => {
        const ours = measured.find(({ who }) => who === 'ours');
        const peers = measured.filter((one) => isDurable(one) && one.loss === 0);
        if (!ours || peers.length === 0) return [];
        const peer = peers.reduce((one, other) => (other.median < one.median ? other : one));
        return {
          name: `${name}: ${unit}`,
          target: `below ${peer.who} (${peer.median})`,
          got: String(ours.median),
          isMet: ours.median < peer.median,
        };
      }),
  );
}

function pushTargets(figures) {
  return [...byName(figures, 'push', 'delivered/s')].flatMap(([name, measured]) => {
    const ours = measured.find(({ who }) => who === 'ours');
    const peer = best(measured.filter(isDurable));
    return ours && peer ? ratio(`${name}: delivered/s, ${peer.who}`, ours, peer, 3) : [];
  });
}

function simple(figures, suite, unit, isMet, target) {
  return figures
    .filter((figure) => figure.suite === suite && figure.unit === unit && figure.who === 'ours')
    .map(({ name, median }) => ({
      name: `${name}: ${unit}`,
      target,
      got: String(median),
      isMet: isMet(median),
    }));
}

function best(figures) {
  if (figures.length === 0) return undefined;
  return figures.reduce((one, other) => (other.median > one.median ? other : one));
}

function ratio(name, ours, peer, least) {
  const got = ours.median / peer.median;
  return { name, target: `at least ${least} ×`, got: `${got.toFixed(2)} ×`, isMet: got >= least };
}
