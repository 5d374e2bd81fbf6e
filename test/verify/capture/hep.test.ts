import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { msrpSend, observed, sipMessage } from './scene.js';

const source4 = chunk(3, Buffer.from([192, 0, 2, 1]));
const target4 = chunk(4, Buffer.from([192, 0, 2, 2]));
const addresses6 = [
  chunk(5, Buffer.from('20010db8000000000000000000000001', 'hex')),
  chunk(6, Buffer.from('00000000000000000000000000000001', 'hex')),
];
const ports = [chunk(7, word(5060, 2)), chunk(8, word(5062, 2))];
const time = [chunk(9, word(1_700_000_000, 4)), chunk(10, word(250_500, 4))];
const over = (protocol: number): Buffer => chunk(2, Buffer.from([protocol]));

test('packets one after the other are messages with their time, addresses and transport', () => {
  const compressed = chunk(16, deflateSync(sipMessage('two')));
  const rtcp = chunk(15, Buffer.from('{"sender_information":{}}'));
  const file = Buffer.concat([
    hep(source4, target4, ...ports, ...time, over(17), chunk(15, sipMessage('one'))),
    hep(...addresses6, ...ports, ...time, over(6), compressed),
    hep(source4, target4, ...ports, ...time, over(17), rtcp),
    hep(source4, target4, ...ports, ...time, over(6), chunk(15, msrpSend('abcd'))),
    hep(source4, target4, ...ports, ...time, over(22), chunk(15, sipMessage('tls'))),
  ]);
  const at = 1_700_000_000_250.5;
  const ends = { source: '192.0.2.1:5060', target: '192.0.2.2:5062', at, cut: false };
  const six = { source: '[2001:db8::1]:5060', target: '[::1]:5062' };
  expect(readCapture(file)).toEqual({
    remarks: [],
    messages: [
      { ...ends, number: 1, protocol: 'sip', transport: 'udp', bytes: sipMessage('one') },
      { ...ends, ...six, number: 2, protocol: 'sip', transport: 'tcp', bytes: sipMessage('two') },
      { ...ends, number: 4, protocol: 'msrp', transport: 'tcp', bytes: msrpSend('abcd') },
      { ...ends, number: 5, protocol: 'sip', transport: 'tls', bytes: sipMessage('tls') },
    ],
  });
});

test('HEP in datagrams of a capture is read with the time and the addresses it has', () => {
  const bytes = hep(source4, target4, ...ports, ...time, over(6), chunk(15, sipMessage('inside')));
  const agent = observed({ source: '198.51.100.1:9060', target: '198.51.100.2:9060', bytes });
  expect(readCapture(writePcap([agent])).messages).toEqual([
    observed({ at: 1_700_000_000_250.5, transport: 'tcp', bytes: sipMessage('inside') }),
  ]);
});

test('what is broken, torn or swells beyond the bound is told', () => {
  const good = hep(source4, target4, ...ports, ...time, over(17), chunk(15, sipMessage('one')));
  const bomb = chunk(16, deflateSync(Buffer.alloc(100_000)));
  const damaged = chunk(16, Buffer.from('damaged'));
  const broken = [
    hep(source4, target4, bomb),
    hep(source4, target4, damaged),
    hep(source4, chunk(15, sipMessage('nowhere'))),
    hep(source4, Buffer.from([0, 0, 0, 4, 255, 255])),
    hep(),
  ];
  const file = Buffer.concat([...broken, good, good.subarray(0, 80)]);
  const { messages, remarks } = readCapture(file, { messageBytes: 10_000 });
  expect(messages).toMatchObject([{ number: 6 }]);
  expect(remarks).toEqual([
    'torn: HEP packet 7 is not whole',
    'broken HEP packets: 5, the first at 1',
  ]);
});

function hep(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat(chunks);
  return Buffer.concat([Buffer.from('HEP3'), word(body.length + 6, 2), body]);
}

function chunk(kind: number, value: Buffer): Buffer {
  return Buffer.concat([word(0, 2), word(kind, 2), word(value.length + 6, 2), value]);
}

function word(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
