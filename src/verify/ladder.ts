/** A ladder of what happened to a message or in a call: SIP, MSRP, XCAP and turns of actors. */

import type { ToldRecord, TraceRecord, TurnRecord, WireRecord } from './trace-record.js';
import { xcapLabel, xcapOf } from './xcap-records.js';

export interface Rung {
  readonly at: number;
  readonly kind: WireRecord['kind'] | 'turn';
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

export interface Ladder {
  readonly title: string;
  /** From left to right. */
  readonly participants: readonly string[];
  readonly rungs: readonly Rung[];
}

/** Rungs of one ladder; the earliest are kept. */
const rungsMax = 5_000;
const server = 'server';

/** The life of a message: `sip:7@store.example.org`, or its number. */
export function whyOf(
  records: readonly TraceRecord[],
  messageId: string,
  account?: string,
): Ladder {
  const serial = Number(/^(?:sips?:)?(\d+)(?:@|$)/.exec(messageId)?.[1]);
  const address = `ua/${serial}`;
  const turns = records.filter(
    (record): record is TurnRecord =>
      record.kind === 'turn' &&
      (account === undefined || record.account === account) &&
      record.told.some((told) => concerns(told, address, serial)),
  );
  const callIds = new Set(turns.flatMap(({ told }) => storedCallIds(told, address)));
  const spans = sessionSpans(records, turns, address);
  const wires = records.filter((record): record is WireRecord => {
    if (record.kind === 'turn' || record.kind === 'xcap') return false;
    if (record.kind === 'sip' && callIds.has(callIdOf(record.head) ?? '')) return true;
    return spans.some(({ from, to }) => record.at >= from && record.at <= to);
  });
  const xcap = xcapOfTurns(records, turns, [serial]);
  return ladderOf(`message ${messageId}`, records, [...turns, ...wires, ...xcap]);
}

/** A call: its SIP messages, the MSRP of its time, and the turns that its messages made. */
export function callOf(records: readonly TraceRecord[], callId: string): Ladder {
  const calls = records.filter(
    (record) => record.kind === 'sip' && callIdOf(record.head) === callId,
  );
  const isSession = calls.some((record) => record.kind === 'sip' && /^INVITE /.test(record.head));
  const [first, last] = [calls[0]?.at ?? Infinity, calls.at(-1)?.at ?? -Infinity];
  const others = records.filter((record) => {
    if (record.kind === 'turn') return record.told.some((told) => told.callId === callId);
    return isSession && record.kind === 'msrp' && record.at >= first && record.at <= last;
  });
  const turns = others.filter((record) => record.kind === 'turn');
  const serials = turns.flatMap(({ told }) => storedSerials(told, callId));
  const xcap = serials.length === 0 ? [] : xcapOfTurns(records, turns, serials);
  return ladderOf(`call ${callId}`, records, [...calls, ...others, ...xcap]);
}

function storedSerials(told: readonly ToldRecord[], call: string): number[] {
  return told.flatMap(({ to, type, callId }) =>
    type === 'store' && callId === call && to.startsWith('ua/') ? [Number(to.slice(3))] : [],
  );
}

function xcapOfTurns(
  records: readonly TraceRecord[],
  turns: readonly TurnRecord[],
  serials: readonly number[],
): WireRecord[] {
  const wires = records.filter((record) => record.kind !== 'turn');
  const accounts = new Set(turns.map(({ account }) => account));
  const [from, to] = [turns[0]?.at ?? Infinity, turns.at(-1)?.at ?? -Infinity];
  return xcapOf(wires, { accounts, serials: new Set(serials), from, to });
}

function concerns({ by, to, serial }: ToldRecord, address: string, number: number): boolean {
  return to === address || by === address || serial === number;
}

function storedCallIds(told: readonly ToldRecord[], address: string): string[] {
  return told.flatMap(({ to, type, callId }) =>
    to === address && type === 'store' && callId !== undefined ? [callId] : [],
  );
}

/** From the turn in which a session invites the message to the one in which the session ends. */
function sessionSpans(
  records: readonly TraceRecord[],
  turns: readonly TurnRecord[],
  address: string,
): { from: number; to: number }[] {
  const ofSession = new Map<string, { from: number; to: number }>();
  for (const { account, told } of turns) {
    for (const { by, to, type } of told) {
      if (to !== address || type !== 'invite' || by === undefined) continue;
      const own = records.filter(
        (record): record is TurnRecord =>
          record.kind === 'turn' &&
          record.account === account &&
          record.told.some((one) => one.to === by || one.by === by),
      );
      ofSession.set(`${account} ${by}`, { from: own[0]?.at ?? 0, to: own.at(-1)?.at ?? 0 });
    }
  }
  return [...ofSession.values()];
}

/** In the order of time, within a millisecond in that of the trace. */
function ladderOf(
  title: string,
  records: readonly TraceRecord[],
  told: readonly TraceRecord[],
): Ladder {
  const chosen = new Set(told);
  const rungs = records
    .filter((record) => chosen.has(record))
    .sort((one, other) => one.at - other.at)
    .flatMap(rungsOf)
    .slice(0, rungsMax);
  const named = rungs.flatMap(({ from, to }) => [from, to]);
  const peers = [...new Set(named.filter((name) => /[.:]\d+$/.test(name)))];
  const actors = [...new Set(named)].filter((name) => name !== server && !peers.includes(name));
  return { title, participants: [...peers, server, ...actors], rungs };
}

function rungsOf(record: TraceRecord): Rung[] {
  if (record.kind === 'turn') {
    return record.told.map(({ by = server, to, type, serial }) => ({
      ...{ at: record.at, kind: 'turn', from: by, to },
      label: serial === undefined ? type : `${type} ${serial}`,
    }));
  }
  const { at, kind, direction, remote, head } = record;
  const label = labels[kind](head);
  if (label === '') return [];
  const [from, to] = direction === 'in' ? [remote, server] : [server, remote];
  return [{ at, kind, from, to, label }];
}

const labels = {
  sip: sipLabel,
  msrp: msrpLabel,
  xcap: (head: string) => printable(xcapLabel(head)),
};

function callIdOf(head: string): string | undefined {
  return /^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)/im.exec(head)?.[1];
}

function sipLabel(head: string): string {
  const [first = ''] = head.split('\r\n', 1);
  const status = /^SIP\/2\.0 (.*)$/.exec(first)?.[1];
  const method = /^CSeq[ \t]*:[ \t]*\d+[ \t]+(\S+)/im.exec(head)?.[1] ?? '';
  return printable(
    status === undefined ? first.replace(/ SIP\/2\.0$/, '') : `${status} (${method})`,
  );
}

function msrpLabel(head: string): string {
  const [first = ''] = head.split('\r\n', 1);
  const what = first.split(' ').slice(2).join(' ');
  if (what === '') return '';
  const range = /^Byte-Range:[ \t]*(\S+)/im.exec(head)?.[1];
  return printable(`MSRP ${what}${range === undefined ? '' : ` ${range}`}`);
}

/** Control characters would break the picture, or the terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}

// --------------------------------------------------------------------------------- pictures

/** One rung in a line: who says what to whom, and when. */
export function ladderText({ title, participants, rungs }: Ladder): string {
  if (rungs.length === 0) return `${title}: nothing in the trace\n`;
  const start = rungs[0]!.at;
  const width = Math.max(...participants.map((name) => name.length));
  const strokes = { sip: '-->', msrp: '==>', xcap: '~~>', turn: '..>' } as const;
  const lines = rungs.map(({ at, kind, from, to, label }) => {
    const time = `${((at - start) / 1000).toFixed(3)}s`.padStart(10);
    return `${time}  ${from.padEnd(width)} ${strokes[kind]} ${to.padEnd(width)}  ${label}`;
  });
  return `${[`${title}, from ${new Date(start).toISOString()}`, ...lines].join('\n')}\n`;
}

const columnPx = 170;
const rowPx = 26;
const topPx = 60;

export function ladderSvg({ title, participants, rungs }: Ladder): string {
  const x = (name: string): number => 60 + participants.indexOf(name) * columnPx;
  const [width, height] = [
    120 + participants.length * columnPx,
    topPx + (rungs.length + 1) * rowPx,
  ];
  const lifelines = participants.flatMap((name) => [
    `<text x="${x(name)}" y="40" text-anchor="middle">${escaped(name)}</text>`,
    `<line x1="${x(name)}" y1="46" x2="${x(name)}" y2="${height}" stroke="#bbb"/>`,
  ]);
  const arrows = rungs.flatMap(({ kind, from, to, label }, row) => {
    const y = topPx + (row + 1) * rowPx;
    const [x1, x2] = from === to ? [x(from), x(to) + 40] : [x(from), x(to)];
    const dash = kind === 'turn' ? ' stroke-dasharray="3 3"' : '';
    const colour = { sip: '#1f5fa8', msrp: '#2c7a3f', xcap: '#a8551f', turn: '#777' }[kind];
    return [
      `<line x1="${x1}" y1="${y}" x2="${x2}" y2="${y}" stroke="${colour}"${dash}` +
        ' marker-end="url(#head)"/>',
      `<text x="${(x1 + x2) / 2}" y="${y - 4}" text-anchor="middle" fill="${colour}">` +
        `${escaped(label)}</text>`,
    ];
  });
  const head = '<path d="M0,0 L8,4 L0,8 z" fill="#555"/>';
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
      ' font-family="sans-serif" font-size="11">',
    `<title>${escaped(title)}</title>`,
    `<defs><marker id="head" markerWidth="8" markerHeight="8" refX="8" refY="4"` +
      ` orient="auto">${head}</marker></defs>`,
    ...lifelines,
    ...arrows,
    '</svg>',
  ].join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
