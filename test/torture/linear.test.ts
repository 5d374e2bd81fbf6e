/** The time a body or an MSRP frame takes grows with its length and no faster. */

import { expect, test } from 'vitest';
import { cpimFacts, parseCpim } from '../../src/wire/cpim.js';
import { parseMessageSummary } from '../../src/wire/message-summary.js';
import { MsrpParser } from '../../src/wire/msrp/parse.js';
import { leafParts, parseMultipart } from '../../src/wire/multipart.js';
import { msrpMedia } from '../../src/wire/sdp.js';
import { parseSdp } from '../../src/wire/session-description.js';
import { parseUriList } from '../../src/wire/xml/resource-lists.js';
import { parseXml } from '../../src/wire/xml/tree.js';

const unit = 1_000;
const large = 1 << 26;
const xmlLimits = { size: large, elements: large, attributes: large };
const sdpLimits = { size: large, media: large, lines: large };
const msrpLimits = {
  ...{ startLine: large, headerLine: large, headerSection: large, headers: large, paths: large },
};

type Work = () => unknown;

/** Each makes work for an input of `size` pieces; `size` 16 times as large may take 64 times. */
const cases: readonly (readonly [string, (size: number) => Work])[] = [
  // The search for a namespace walks up, so the bound on depth is what keeps it linear.
  ['XML as deep as may be', (size) => xml(`<a>${towers(size)}</a>`)],
  ['XML that is too deep', (size) => xml('<a>'.repeat(size * 4))],
  ['XML that is wide', (size) => xml(`<a>${'<b/>'.repeat(size)}</a>`)],
  ['XML with many attributes', (size) => xml(`<a ${numbered(size, (n) => `a${n}="v"`, ' ')}/>`)],
  [
    'XML with many prefixes',
    (size) => xml(`<a ${numbered(size, (n) => `xmlns:p${n}="u"`, ' ')}/>`),
  ],
  ['XML with much text', (size) => xml(`<a>${'text &amp; '.repeat(size)}</a>`)],
  ['XML that never ends', (size) => xml('<a b="'.padEnd(size * 8, 'x'))],
  ['a resource list', (size) => list(size)],
  ['parts of a multipart', (size) => multipart('\r\n--bb\r\n\r\nx'.repeat(size) + '\r\n--bb--')],
  ['near-boundaries', (size) => multipart(`\r\n--bb\r\n\r\n${'\r\n--b'.repeat(size)}\r\n--bb--`)],
  ['a multipart without end', (size) => multipart('\r\n--bb\r\n\r\n'.repeat(size))],
  ['headers of a CPIM', (size) => cpim(numbered(size, (n) => `X-${n}: v`, '\r\n'))],
  ['prefixes of a CPIM', (size) => cpim(numbered(size, (n) => `NS: p${n} <u>`, '\r\n'))],
  ['a long header of a CPIM', (size) => cpim(`X: ${' \\'.repeat(size * 4)}`)],
  ['record routes of a CPIM', (size) => cpim(`IMDN-Record-Route: ${'<sip:a@h>,'.repeat(size)}`)],
  ['m= lines', (size) => sdp('m=message 9 TCP/MSRP *\r\n'.repeat(size))],
  ['a= lines', (size) => sdp('a=x:y\r\n'.repeat(size))],
  ['formats of an m= line', (size) => sdp(`m=message 9 TCP/MSRP${' *'.repeat(size * 4)}\r\n`)],
  ['lines of a summary', (size) => summary('Voice-Message: 1/1\r\n'.repeat(size))],
  ['folds of a summary', (size) => summary(`\r\nSubject: a\r\n${' b\r\n'.repeat(size)}`)],
  [
    'header fields of MSRP',
    (size) =>
      msrp(
        numbered(size, (n) => `X-${n}: v`, '\r\n'),
        4_096,
      ),
  ],
  ['a header line of MSRP in pieces', (size) => msrp(`X: ${'x'.repeat(size * 8)}`, 7)],
  [
    'a path of MSRP',
    (size) => msrp(`X: y\r\nUse-Path: ${'msrp://h:1/a;tcp '.repeat(size)}`, 4_096),
  ],
  [
    'near-end-lines of MSRP',
    (size) => msrp(`X: y\r\n\r\n${'\r\n-------tx0000'.repeat(size)}`, 4_096),
  ],
  ['near-end-lines, octet by octet', (size) => msrp(`X: y\r\n\r\n${'\r\n------'.repeat(size)}`, 1)],
];

test.each(cases)('linear: %s', (_name, work) => {
  const small = work(unit);
  const wide = work(unit * 16);
  // Quadratic work takes 256 times as long in every attempt; a busy machine does not disturb all.
  let least = Infinity;
  for (let attempt = 0; attempt < 12 && least >= 64; attempt++) {
    least = Math.min(least, elapsedMs(wide) / Math.max(elapsedMs(small), 1));
  }
  expect(least).toBeLessThan(64);
});

test('nested multiparts: a bound on their depth, whatever it is, is not met twice', () => {
  const nested = (depth: number): Buffer => {
    const type = (n: number) => `Content-Type: multipart/mixed;boundary=b${n}\r\n\r\n`;
    let body = 'x';
    for (let n = depth; n > 0; n--)
      body = `--b${n}\r\n${n < depth ? type(n + 1) : '\r\n'}${body}\r\n--b${n}--`;
    return Buffer.from(body);
  };
  expect(leafParts(nested(4), 'multipart/mixed;boundary=b1', { depth: 4 })).toHaveLength(1);
  expect(() => leafParts(nested(2_000), 'multipart/mixed;boundary=b1')).toThrow(/MULTIPART_DEPTH/);
});

function xml(text: string): Work {
  const bytes = Buffer.from(text);
  return () => tolerant(() => parseXml(bytes, xmlLimits));
}

function list(size: number): Work {
  const entries = numbered(size, (n) => `<entry uri="sip:${n}@h"/>`, '');
  const bytes = Buffer.from(
    `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>${entries}</list></resource-lists>`,
  );
  return () => tolerant(() => parseUriList(bytes));
}

function multipart(text: string): Work {
  const bytes = Buffer.from(text);
  return () =>
    tolerant(() => parseMultipart(bytes, 'multipart/mixed;boundary=bb', { parts: large }));
}

function cpim(headers: string): Work {
  const head = 'NS: imdn <urn:ietf:params:imdn>\r\n';
  const bytes = Buffer.from(`${head}${headers}\r\n\r\nContent-Type: a/b\r\n\r\nx`);
  const limits = { headers: large, headerSection: large };
  return () => tolerant(() => cpimFacts(parseCpim(bytes, limits)));
}

function sdp(lines: string): Work {
  const bytes = Buffer.from(`v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n${lines}`);
  return () => tolerant(() => msrpMedia(parseSdp(bytes, sdpLimits)));
}

function summary(lines: string): Work {
  const bytes = Buffer.from(`Messages-Waiting: yes\r\n${lines}`);
  return () => tolerant(() => parseMessageSummary(bytes, { size: large, lines: large }));
}

function msrp(rest: string, chunkBytes: number): Work {
  const bytes = Buffer.from(
    `MSRP tx00001 SEND\r\nTo-Path: msrp://h:1/a;tcp\r\nFrom-Path: msrp://h:1/b;tcp\r\nMessage-ID: m0001\r\n${rest}\r\n-------tx00001$\r\n`,
  );
  return () => {
    let events = 0;
    const count = (): void => {
      events++;
    };
    const parser = new MsrpParser(
      { head: count, body: count, end: count, fault: count },
      msrpLimits,
    );
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      parser.push(bytes.subarray(at, at + chunkBytes));
    }
    return events;
  };
}

/** Of the processor: what else the machine does is no matter. */
function elapsedMs(work: Work): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

function tolerant(call: Work): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

/** `size` elements, in stacks as deep as the parser takes. */
function towers(size: number): string {
  return `${'<b>'.repeat(60)}${'</b>'.repeat(60)}`.repeat(Math.ceil(size / 60));
}

function numbered(count: number, each: (n: number) => string, between: string): string {
  return Array.from({ length: count }, (_, n) => each(n)).join(between);
}
