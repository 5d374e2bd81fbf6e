import { expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { observed, sipMessage } from './scene.js';

test('a datagram that is written as a packet is read as it was', () => {
  const messages = [
    observed({ number: 1, at: 1_700_000_000_000.25, bytes: sipMessage('one') }),
    observed({ number: 2, at: 1_700_000_000_001, bytes: sipMessage('two', 'x'.repeat(600)) }),
    observed({ number: 3, source: '[2001:db8::1]:5060', target: '[::1]:5062' }),
  ];
  expect(readCapture(writePcap(messages))).toEqual({ messages, remarks: [] });
});
