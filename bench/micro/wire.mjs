/**
 * CPU time of parsing and writing SIP and MSRP, a line of JSON per figure and a table on standard
 * error; another directory of a build is the argument. A SIP message is parsed whole, with the fields
 * that every request is asked for; MSRP comes in pieces of 16 KiB, as sockets give them.
 */

import { Buffer } from 'node:buffer';
import console from 'node:console';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const rounds = 5;
const pieceSize = 16_384;

const invite = [
  'INVITE sip:bob@192.0.2.30:5060;transport=tcp SIP/2.0',
  'Via: SIP/2.0/TCP 192.0.2.7:5060;branch=z9hG4bK776asdhds;rport',
  'Via: SIP/2.0/TCP ue.example.org:5060;branch=z9hG4bKue1',
  'Max-Forwards: 69',
  'Record-Route: <sip:scscf.example.org;lr>',
  'From: "Alice" <sip:alice@example.org>;tag=1928301774',
  'To: <sip:bob@example.org>',
  'Call-ID: a84b4c76e66710@ue.example.org',
  'CSeq: 314159 INVITE',
  'Contact: <sip:alice@192.0.2.7:5060;transport=tcp>;+g.oma.sip-im',
  'Accept-Contact: *;+g.oma.sip-im;require;explicit',
  'P-Asserted-Identity: <sip:alice@example.org>, <tel:+12025550147>',
  'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE',
  'Supported: timer, 100rel',
  'Session-Expires: 1800;refresher=uac',
  'User-Agent: IM-client/OMA1.0 Example/1.0',
];
const sdp = [
  'v=0',
  'o=- 1795165200000 1 IN IP4 192.0.2.7',
  's=-',
  'c=IN IP4 192.0.2.7',
  't=0 0',
  'm=message 2855 TCP/MSRP *',
  'a=recvonly',
  'a=setup:active',
  'a=accept-types:message/sipfrag message/cpim',
  'a=accept-wrapped-types:*',
  'a=path:msrp://192.0.2.7:2855/98cjs02jdlkj;tcp',
  '',
].join('\r\n');
const message = [
  'MESSAGE sip:bob@example.org SIP/2.0',
  ...invite.slice(1, 4),
  ...invite.slice(5, 8),
  'CSeq: 1 MESSAGE',
  'P-Asserted-Identity: <sip:alice@example.org>',
];

function octets(lines, type, body) {
  const head = [...lines, `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function sendFrame(id, size, body) {
  const head = [
    `MSRP ${id} SEND`,
    'To-Path: msrp://192.0.2.20:2855/session1;tcp',
    'From-Path: msrp://192.0.2.7:2855/98cjs02jdlkj;tcp',
    `Message-ID: ${id}x`,
    `Byte-Range: 1-${size}/${size}`,
    'Success-Report: no',
    'Content-Type: text/plain',
  ];
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
  return Buffer.concat([bytes, body, Buffer.from(`\r\n-------${id}$\r\n`)]);
}

/** By name: how often, and what is done once; the unit is that of one. */
async function cases(build) {
  const load = (path) => import(pathToFileURL(`${resolve(build)}/${path}`).href);
  const { parseSip } = await load('wire/sip/parse.js');
  const { serialiseRequest, serialiseResponse } = await load('wire/sip/serialise.js');
  const { MsrpParser } = await load('wire/msrp/parse.js');
  const { parseSdp } = await load('wire/sdp.js');
  const handler = { head() {}, body() {}, end() {}, fault() {} };
  const read = (bytes) => {
    const parsed = parseSip(bytes);
    let seen = parsed.list('Via').length;
    for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Content-Type', 'P-Asserted-Identity']) {
      if (parsed.header(name) !== undefined) seen++;
    }
    if (seen !== 8) throw new Error(`${seen} fields`);
  };
  const feed = (bytes) => {
    const parser = new MsrpParser(handler);
    for (let at = 0; at < bytes.length; at += pieceSize) {
      parser.push(bytes.subarray(at, at + pieceSize));
    }
    if (!parser.idle) throw new Error('the frame is not over');
  };
  const inviteBytes = octets(invite, 'application/sdp', sdp);
  const messageBytes = octets(message, 'text/plain', 'Hello, Bob!!');
  const pairs = invite.slice(1, 9).map((line) => line.split(/: (.*)/s, 2));
  const sdpBytes = Buffer.from(sdp);
  const small = sendFrame('a786hjs2', 200, Buffer.alloc(200, 'x'));
  const large = sendFrame('b786hjs2', 1 << 20, Buffer.alloc(1 << 20, 'y'));
  const dashes = sendFrame('c786hjs2', 1 << 20, Buffer.alloc(1 << 20, '\r\n-------'));
  return {
    [`parse MESSAGE of ${messageBytes.length} octets`]: [40_000, () => read(messageBytes)],
    [`parse INVITE of ${inviteBytes.length} octets`]: [20_000, () => read(inviteBytes)],
    'parse SDP of an INVITE': [20_000, () => parseSdp(sdpBytes)],
    'write 200 with 8 fields': [
      40_000,
      () => serialiseResponse({ status: 200, headers: pairs, body: sdpBytes }),
    ],
    'write INVITE with 8 fields': [
      40_000,
      () => serialiseRequest({ method: 'INVITE', uri: 'sip:bob@example.org', headers: pairs }),
    ],
    'parse MSRP SEND of 200 octets': [40_000, () => feed(small)],
    'parse MSRP SEND of 1 MiB': [100, () => feed(large)],
    'parse MSRP SEND of 1 MiB full of end-line beginnings': [20, () => feed(dashes)],
  };
}

/** Each figure with the values of all rounds, which go through all cases. */
export async function figures(build = 'dist', part = 1) {
  const all = await cases(build);
  const values = new Map(Object.keys(all).map((name) => [name, []]));
  // The first round warms up.
  for (let round = -1; round < rounds; round++) {
    for (const [name, [times, once]] of Object.entries(all)) {
      const count = Math.max(1, Math.round(times * part));
      const before = process.cpuUsage();
      for (let n = 0; n < count; n++) once();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) values.get(name).push((user + system) / count);
    }
  }
  return [...values].map(([name, taken]) => {
    return { name, unit: 'µs CPU', better: 'less', values: taken };
  });
}

/** The median, and how many that is in a second of one core. */
function tableOf(found) {
  const rows = found.map(({ name, values }) => {
    const median = values.toSorted((one, other) => one - other)[values.length >> 1];
    const rate = Math.round(1e6 / median).toLocaleString('en');
    return `${name.padEnd(54)} ${median.toFixed(2).padStart(10)} µs ${rate.padStart(10)} /s`;
  });
  return rows.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const part = Number(process.env.BENCH_SECONDS ?? 1.5) < 1 ? 0.1 : 1;
  const found = await figures(process.argv[2], part);
  for (const figure of found) console.log(JSON.stringify(figure));
  console.error(tableOf(found));
}
