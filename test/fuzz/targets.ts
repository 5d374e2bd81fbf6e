/** The parsers under test, each with what must hold for every input. */

import { cpimFacts, parseCpim, wrapCpim } from '../../src/wire/cpim.js';
import { parseImdn, writeImdn } from '../../src/wire/imdn.js';
import { parseMessageSummary, writeMessageSummary } from '../../src/wire/message-summary.js';
import { leafParts, parseMultipart, writeMultipart } from '../../src/wire/multipart.js';
import { answer, msrpMedia, msrpRemote } from '../../src/wire/sdp.js';
import { parseSdp } from '../../src/wire/session-description.js';
import { parseHistoryList, writeHistoryList } from '../../src/wire/xml/history.js';
import { parseUriList, writeUriList } from '../../src/wire/xml/resource-lists.js';
import { parseSettings, writeSettings } from '../../src/wire/xml/settings.js';
import { parseXml } from '../../src/wire/xml/tree.js';
import type { Target } from './engine.js';
import { withContentLength } from './mutate.js';
import { runMsrp } from './msrp-oracle.js';
import { mustEqual, refusedOr } from './oracle.js';
import { boundaryOf, scenarioSeeds, sipSeeds, vectorSeeds } from './seeds.js';
import { runSip, runSipStream } from './sip-oracle.js';
import { bodyWords, msrpWords, sipWords } from './words.js';

export const targets: readonly Target[] = [
  { name: 'sip', seeds: sipSeeds(), words: sipWords, mend: withContentLength, run: runSip },
  {
    name: 'sip-stream',
    seeds: sipSeeds(),
    words: sipWords,
    mend: withContentLength,
    run: runSipStream,
  },
  {
    name: 'msrp',
    seeds: [...vectorSeeds('msrp'), ...scenarioSeeds()],
    words: msrpWords,
    run: runMsrp,
  },
  { name: 'sdp', seeds: vectorSeeds('sdp'), words: bodyWords, run: runSdp },
  { name: 'multipart', seeds: vectorSeeds('multipart'), words: bodyWords, run: runMultipart },
  { name: 'cpim', seeds: vectorSeeds('cpim'), words: bodyWords, run: runCpim },
  {
    name: 'xml',
    seeds: vectorSeeds('xml', 'resource-lists', 'history', 'settings', 'imdn'),
    words: bodyWords,
    run: runXml,
  },
  { name: 'message-summary', seeds: vectorSeeds('message-summary'), words: bodyWords, run: runMwi },
];

function runSdp(bytes: Buffer): void {
  const sdp = refusedOr(() => parseSdp(bytes));
  if (sdp === undefined) return;
  const facts = refusedOr(() => msrpMedia(sdp));
  refusedOr(() => msrpRemote(sdp));
  refusedOr(() => msrpRemote(sdp, true));
  const ours = {
    ...{ sessionId: 1, sessionVersion: 1 },
    path: ['msrp://127.0.0.1:2855/x;tcp'],
    direction: 'sendrecv' as const,
    setup: 'passive' as const,
    acceptTypes: ['*'],
  };
  const answered = refusedOr(() => answer({ ...ours, offer: sdp }));
  if (answered === undefined) return;
  const again = parseSdp(answered);
  mustEqual(again.media.length, sdp.media.length, 'as many m= lines in the answer');
  mustEqual(again.media.filter(({ port }) => port > 0).length, 1, 'lines taken');
  if (facts === undefined) throw new Error('answered an offer without MSRP');
}

function runMultipart(bytes: Buffer): void {
  const type = `multipart/mixed;boundary="${boundaryOf(bytes).replace(/["\\]/g, '')}"`;
  refusedOr(() => leafParts(bytes, type));
  const parts = refusedOr(() => parseMultipart(bytes, type));
  if (parts === undefined) return;
  const boundary = 'fuzz-fuzz-fuzz';
  const written = refusedOr(() => writeMultipart(parts, boundary));
  if (written === undefined) return;
  mustEqual(parseMultipart(written, `multipart/mixed;boundary=${boundary}`), parts, 'parts');
}

function runCpim(bytes: Buffer): void {
  const cpim = refusedOr(() => parseCpim(bytes));
  if (cpim === undefined) return;
  cpimFacts(cpim);
  const others = cpim.contentHeaders.filter(([name]) => name.toLowerCase() !== 'content-type');
  const written = refusedOr(() =>
    wrapCpim({
      ...{ from: 'sip:a@h', to: 'sip:b@h', headers: cpim.headers },
      ...{ contentType: cpim.contentType, contentHeaders: others, body: cpim.body },
    }),
  );
  if (written === undefined) return;
  // Our From and To come on top of those that were read.
  const again = parseCpim(written, { headers: 100, headerSection: 20_000 });
  mustEqual(again.headers.slice(2), cpim.headers, 'message headers');
  mustEqual(again.contentHeaders.slice(1), others, 'MIME headers');
  mustEqual(again.body.equals(cpim.body), true, 'content');
}

function runXml(bytes: Buffer): void {
  if (refusedOr(() => parseXml(bytes)) === undefined) return;
  identity(bytes, parseUriList, writeUriList);
  identity(bytes, parseHistoryList, writeHistoryList);
  identity(bytes, parseSettings, writeSettings);
  identity(bytes, parseImdn, writeImdn);
}

function runMwi(bytes: Buffer): void {
  identity(bytes, parseMessageSummary, writeMessageSummary);
}

/** What was read is written, and read again as the same. */
function identity<T>(bytes: Buffer, parse: (bytes: Buffer) => T, write: (data: T) => Buffer): void {
  const data = refusedOr(() => parse(bytes));
  if (data === undefined) return;
  mustEqual(parse(write(data)), data, parse.name);
}
