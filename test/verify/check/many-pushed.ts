/** The push of a real trace, with as many messages as one wants. */

import type { Observed } from '../../../src/verify/capture/observed.js';
import { accepted, bye, chunk, exchangeOf, find, message } from './mutate.js';

/** What belongs to one message: its MESSAGE with the answer, its SEND with answers and REPORT. */
interface Pieces {
  readonly stored: readonly Observed[];
  readonly sent: readonly Observed[];
}

/** The first message of the trace is repeated under other names, before its push and in it. */
export function manyPushed(trace: readonly Observed[], count: number): Observed[] {
  const { stored, sent } = piecesOf(trace);
  const lastStored = trace.filter((one) => accepted(one, '')).at(-1)!;
  const end = trace.indexOf(find(trace, bye));
  const all = [
    ...trace.slice(0, trace.indexOf(stored[0]!)),
    ...repeated(stored, count),
    ...trace.slice(trace.indexOf(lastStored) + 1, trace.indexOf(sent[0]!)),
    ...repeated(sent, count),
    ...trace.slice(end),
  ];
  return all.map((one, index) => ({ ...one, number: index + 1 }));
}

function piecesOf(trace: readonly Observed[]): Pieces {
  const first = find(trace, message);
  const send = find(trace, chunk);
  const id = /^Message-ID: (\S+)/m.exec(String(send.bytes))![1]!;
  const isOfSend = (one: Observed): boolean => {
    const text = String(one.bytes);
    if (one.protocol !== 'msrp') return false;
    return exchangeOf(one) === exchangeOf(send) || text.includes(`Message-ID: ${id}\r`);
  };
  return {
    stored: trace.filter((one) => one.protocol === 'sip' && exchangeOf(one) === exchangeOf(first)),
    sent: trace.filter(isOfSend),
  };
}

function repeated(pieces: readonly Observed[], count: number): Observed[] {
  const all: Observed[] = [];
  for (let place = 0; place < count; place++) {
    const name = `r${place}x`;
    for (const one of pieces) all.push({ ...one, bytes: renamed(one, name) });
  }
  return all;
}

/** In Call-ID, branch, transaction and Message-ID; a SEND has the Call-ID in its octets. */
function renamed({ bytes, protocol }: Observed, name: string): Buffer {
  const text = bytes.toString('latin1').replaceAll(/^Call-ID: /gm, `Call-ID: ${name}`);
  if (protocol === 'sip') {
    return Buffer.from(text.replace('branch=z9hG4bK', `branch=z9hG4bK${name}`), 'latin1');
  }
  const id = /^MSRP (\S+)/.exec(text)![1]!;
  const range = /^Byte-Range: 1-(\d+)\/(\d+)/m;
  const octets = Number(range.exec(text)?.[2] ?? 0) + name.length;
  const other = text
    .replaceAll(id, `${name}${id}`.slice(0, 31))
    .replace(/^Message-ID: /m, `Message-ID: ${name}`)
    .replace(range, `Byte-Range: 1-${octets}/${octets}`);
  return Buffer.from(other, 'latin1');
}
