/**
 * CPU time of the server transaction of one MESSAGE, from its octets to those of the 202, without
 * sockets, as a line of JSON; another directory of a build is the argument. Timer J keeps every
 * transaction for 32 s of a clock that runs at 3000 requests a second, so that about 96,000 of them
 * are kept.
 */

import { Buffer } from 'node:buffer';
import console from 'node:console';
import { resolve } from 'node:path';
import process from 'node:process';

const build = resolve(process.argv[2] ?? 'dist');
const { createSipEndpoint } = await import(`${build}/transport/sip/endpoint.js`);
const { parseSip } = await import(`${build}/wire/sip/parse.js`);
const { ManualClock } = await import(`${build}/testing/clock.js`);
const { systemRandom } = await import(`${build}/system.js`);

const ratePerSecond = 3_000;
const rounds = 5;
const isQuick = Number(process.env.BENCH_SECONDS ?? 1.5) < 1;
const warmUp = isQuick ? 10_000 : 150_000;
const measured = isQuick ? 5_000 : 60_000;

const silent = () => undefined;
const clock = new ManualClock();
const endpoint = createSipEndpoint({
  listeners: [],
  clock,
  random: systemRandom,
  log: { debug: silent, info: silent, warn: silent, error: silent },
});
const headers = [['Server', 'IM-serv/OMA1.0 PosteRestante/0.1.0']];
await endpoint.start({
  request: ({ transaction }) => endpoint.respond(transaction, { status: 202, headers }),
});

let octets = 0;
const flow = {
  transport: 'udp',
  isOpen: true,
  send: (bytes) => void (octets += bytes.length),
};

function message(number) {
  const text =
    'MESSAGE sip:bob@example.org SIP/2.0\r\n' +
    `Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK${number.toString(36)}x;rport\r\n` +
    `Via: SIP/2.0/UDP ue.example.org:5060;branch=z9hG4bKue${number.toString(36)}\r\n` +
    'Max-Forwards: 69\r\n' +
    `From: "Alice" <sip:alice@example.org>;tag=t${number.toString(36)}\r\n` +
    'To: <sip:bob@example.org>\r\n' +
    `Call-ID: ${number.toString(36)}@ue.example.org\r\n` +
    'CSeq: 1 MESSAGE\r\n' +
    'P-Asserted-Identity: <sip:alice@example.org>\r\n' +
    'Content-Type: text/plain\r\n' +
    'Content-Length: 12\r\n\r\nHello, Bob!!';
  return Buffer.from(text);
}

function run(from, count) {
  const perTick = ratePerSecond / 100;
  for (let number = from; number < from + count;) {
    const datagrams = [];
    for (let one = 0; one < perTick; one++) datagrams.push(message(number++));
    const before = process.cpuUsage();
    for (const datagram of datagrams) {
      endpoint.message(parseSip(datagram), flow, '192.0.2.7', 5060);
    }
    clock.advance(10);
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
  }
}

let spent = 0;
run(0, warmUp);
const values = [];
for (let round = 0; round < rounds; round++) {
  spent = 0;
  run(warmUp + round * measured, measured);
  values.push(spent / measured);
}
const { serverTransactions } = endpoint.counters();
const name = `server transaction of a MESSAGE, ${serverTransactions} kept`;
console.log(JSON.stringify({ name, unit: 'µs CPU', better: 'less', values }));
await endpoint.stop(0);
