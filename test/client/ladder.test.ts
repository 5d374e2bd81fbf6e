import { describe, expect, test } from 'vitest';
import type { TraceEntry } from '../../src/ports.js';
import { createLadder } from '../../src/testing/ladder.js';

const sip = (text: string, more: Partial<TraceEntry> = {}): TraceEntry => ({
  at: 0,
  protocol: 'sip',
  direction: 'out',
  local: '127.0.0.1:5070',
  remote: '127.0.0.1:5060',
  transport: 'udp',
  bytes: Buffer.from(text.replaceAll('\n', '\r\n') + '\r\n\r\nbody'),
  ...more,
});

const message =
  'MESSAGE sip:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\nCSeq: 1 MESSAGE';
const accepted = 'SIP/2.0 202 Accepted\nCSeq: 1 MESSAGE';

describe('ladder', () => {
  test('draws requests to the right and answers to the left, with the time since the first', () => {
    const ladder = createLadder({ participants: ['Alice', 'Server', 'Bob'], unknown: 'Server' });
    const trace = ladder.trace('Alice');
    trace.record(sip(message, { at: 5000 }));
    trace.record(sip(accepted, { at: 5012, direction: 'in' }));
    expect(ladder.render().split('\n')).toEqual([
      '         Alice                                  Server                                    Bob',
      '   0.000s  |----- MESSAGE sip:bob@example.org ---->|                                       |',
      '   0.012s  |<------ 202 Accepted (MESSAGE) --------|                                       |',
    ]);
  });

  test('marks a message that is sent again, over UDP', () => {
    const ladder = createLadder({ participants: ['Alice', 'Server'] });
    const trace = ladder.trace('Alice');
    trace.record(sip(message));
    trace.record(sip(message, { at: 500 }));
    trace.record(sip(message.replace('K1', 'K2'), { at: 600 }));
    const marks = ladder
      .render()
      .split('\n')
      .map((line) => line.includes('(again)'));
    expect(marks).toEqual([false, false, true, false]);
  });

  test('tells a message between two traced participants once, by its sender', () => {
    const ladder = createLadder({ participants: ['Alice', 'Server'] });
    ladder.name('127.0.0.1:5060', 'Server');
    ladder.name('127.0.0.1:5070', 'Alice');
    const ends = { local: '127.0.0.1:5060', remote: '127.0.0.1:5070' };
    const [alice, server] = [ladder.trace('Alice'), ladder.trace('Server')];
    alice.record(sip(message));
    server.record(sip(message, { ...ends, direction: 'in' }));
    server.record(sip(accepted, { ...ends, direction: 'out' }));
    alice.record(sip(accepted, { direction: 'in' }));
    expect(ladder.render().split('\n')).toHaveLength(3);
  });

  test('draws an arrow over those between', () => {
    const ladder = createLadder({ participants: ['A', 'B', 'C'], gap: 30 });
    ladder.name('127.0.0.1:5060', 'C');
    ladder.trace('A').record(sip(message));
    const [, line] = ladder.render().split('\n');
    expect(line).toBe(
      `   0.000s  |${'-'.repeat(15)} MESSAGE sip:bob@example.org ${'-'.repeat(14)}>|`,
    );
  });

  test('shows MSRP with Message-ID, range and type, and cuts what is too long', () => {
    const ladder = createLadder({ participants: ['Bob', 'Server'] });
    ladder.trace('Bob').record(
      sip('', {
        protocol: 'msrp',
        direction: 'in',
        transport: 'tcp',
        bytes: Buffer.from(
          'MSRP a786 SEND\r\nTo-Path: x\r\nFrom-Path: y\r\nMessage-ID: d7\r\n' +
            'Byte-Range: 1-20/20\r\nContent-Type: application/octet-stream;version=2.0\r\n\r\n\r\n-------a786$\r\n',
        ),
      }),
    );
    const [, line] = ladder.render().split('\n');
    expect(line).toContain('<= MSRP SEND d7 1-20/20 applicatio.. ==');
  });

  test('keeps a bounded number of lines and says so', () => {
    const lines: string[] = [];
    const ladder = createLadder({
      participants: ['A', 'B'],
      entriesMax: 2,
      onLine: (line) => lines.push(line),
    });
    for (const text of ['one', 'two', 'three']) ladder.note(text);
    expect(ladder.render().split('\n').slice(1)).toEqual([
      '(1 earlier lines dropped)',
      '         -- two',
      '         -- three',
    ]);
    expect(lines).toHaveLength(4);
  });

  test('prints nothing that moves the cursor of a terminal', () => {
    const ladder = createLadder({ participants: ['A', 'B'] });
    ladder.trace('A').record(sip('MESSAGE sip:\x1b[2Jbob@example.org SIP/2.0'));
    expect(ladder.render()).not.toMatch(/[^\x20-\x7e\n]/);
  });
});
