/** A CPU profile as shares of what the main thread did, by the folders of the sources. */

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * What a frame belongs to: the first that fits. A frame that fits none belongs to its caller, and the
 * profiler itself to nothing.
 */
const steps = [
  [undefined, of('^node:inspector|/profiler\\.mjs$')],
  ['V8: garbage collector', ({ name }) => name === '(garbage collector)'],
  ['V8, libuv and kernel, outside JavaScript', ({ name }) => name === '(program)'],
  ['call that sends a datagram', ({ name, source }) => name === 'send' && source === ''],
  ['LevelDB: rows are handed over', of('/node_modules/(?:classic-level|abstract-level|level)/')],
  ['msgpackr', of('/node_modules/msgpackr/')],
  ...['wire', 'machines', 'store'].map((room) => [`src/${room}`, of(`/(?:src|dist)/${room}/`)]),
  ['src/transport/sip', of('/(?:src|dist)/transport/sip/')],
  [
    'src/actors: ingress',
    of('/(?:src|dist)/actors/(?:ingress|identity|message-facts|served|trust)'),
  ],
  ['src/actors: accounts and effects', of('/(?:src|dist)/actors/')],
];
const rest = 'everything else';

function of(pattern) {
  const expression = new RegExp(pattern);
  return ({ source }) => expression.test(source);
}

/** Shares of the time in which the main thread was not idle, by step, and by function. */
export function sharesOf({ nodes, samples, timeDeltas }) {
  const sourceOf = sources();
  const parents = new Map();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const frames = new Map(
    nodes.map(({ id, callFrame }) => [
      id,
      { name: callFrame.functionName, source: sourceOf(callFrame) },
    ]),
  );
  const stepOf = (id) => {
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const step = steps.find(([, fits]) => fits(frames.get(at)));
      if (step) return step[0];
    }
    return rest;
  };
  const stepsOf = new Map(nodes.map(({ id }) => [id, stepOf(id)]));
  const [bySteps, byFunctions] = [new Map(), new Map()];
  let busy = 0;
  for (const [nth, id] of samples.entries()) {
    const { name, source } = frames.get(id);
    const step = stepsOf.get(id);
    if (name === '(idle)' || step === undefined) continue;
    const time = timeDeltas[nth];
    busy += time;
    add(bySteps, step, time);
    add(
      byFunctions,
      `${name || '(anonymous)'} ${source.replace(/^.*\/(?=src|node_modules)/, '')}`,
      time,
    );
  }
  const shares = (sums) =>
    [...sums].map(([name, time]) => [name, time / busy]).sort(([, a], [, b]) => b - a);
  return { steps: shares(bySteps), functions: shares(byFunctions) };
}

function add(sums, name, time) {
  sums.set(name, (sums.get(name) ?? 0) + time);
}

/** The file that a frame was written in: what is bundled is looked up in the map beside it. */
function sources() {
  const maps = new Map();
  const mapOf = (url) => {
    if (!maps.has(url)) maps.set(url, mapBeside(url));
    return maps.get(url);
  };
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return url;
    return mapOf(url)?.findEntry(lineNumber, columnNumber).originalSource ?? url;
  };
}

function mapBeside(url) {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}
