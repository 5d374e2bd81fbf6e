/** A signalling ladder: what named participants said to each other, as text. */

import { createHash } from 'node:crypto';
import type { Trace, TraceEntry } from '../ports.js';

export interface LadderOptions {
  /** Participants from left to right. */
  readonly participants: readonly string[];
  /** Who is behind an address that has no name; by default the other one of two participants. */
  readonly unknown?: string;
  /** Lines kept for `render`, and messages remembered to recognise repetitions; oldest go first. */
  readonly entriesMax?: number;
  /** Columns between two participants. */
  readonly gap?: number;
  /** Hears every line as it is made, the head line first. */
  readonly onLine?: (line: string) => void;
}

export interface Ladder {
  /** Names an address `host:port`; a participant may have several. */
  name(address: string, participant: string): void;
  /** The trace of one participant, to be given to its client or server. */
  trace(participant: string): Trace;
  /** A line across the ladder. */
  note(text: string): void;
  /** The head line and the lines that are kept. */
  render(): string;
}

const defaultEntriesMax = 10_000;
const defaultGap = 40;
const timeWidth = 9;

export function createLadder(options: LadderOptions): Ladder {
  return new LadderRecorder(options);
}

class LadderRecorder implements Ladder {
  readonly #options: LadderOptions;
  readonly #columns: ReadonlyMap<string, number>;
  readonly #gap: number;
  readonly #entriesMax: number;
  readonly #names = new Map<string, string>();
  readonly #traced = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #lines: string[] = [];
  #dropped = 0;
  #start: number | undefined;
  #headed = false;

  constructor(options: LadderOptions) {
    this.#options = options;
    this.#gap = options.gap ?? defaultGap;
    this.#entriesMax = options.entriesMax ?? defaultEntriesMax;
    this.#columns = new Map(
      options.participants.map((name, index) => [name, timeWidth + 2 + index * this.#gap]),
    );
  }

  name(address: string, participant: string): void {
    this.#names.set(address, participant);
  }

  trace(participant: string): Trace {
    this.#traced.add(participant);
    return { record: (entry) => this.#record(participant, entry) };
  }

  note(text: string): void {
    this.#add(`${' '.repeat(timeWidth)}-- ${text}`);
  }

  render(): string {
    const dropped = this.#dropped === 0 ? [] : [`(${this.#dropped} earlier lines dropped)`];
    return [this.#head(), ...dropped, ...this.#lines].join('\n');
  }

  /** Who is traced tells of what it sends; others are known by what the traced ones receive. */
  #record(participant: string, entry: TraceEntry): void {
    const peer = this.#peer(participant, entry.remote);
    if (entry.direction === 'in' && this.#traced.has(peer)) return;
    const [from, to] = entry.direction === 'out' ? [participant, peer] : [peer, participant];
    this.#start ??= entry.at;
    const again = entry.protocol === 'sip' && this.#isRepeated(`${from}>${to}`, entry.bytes);
    const label = labels[entry.protocol](entry.bytes);
    if (label === undefined) return;
    const time = `${((entry.at - this.#start) / 1000).toFixed(3)}s`.padStart(timeWidth);
    const text = again ? `${label} (again)` : label;
    this.#add(time + this.#arrow(from, to, text, entry.protocol === 'sip' ? '-' : '='));
  }

  #peer(participant: string, address: string): string {
    const named = this.#names.get(address) ?? this.#options.unknown;
    if (named !== undefined) return named;
    return this.#options.participants.find((other) => other !== participant) ?? participant;
  }

  #isRepeated(between: string, bytes: Buffer): boolean {
    const key = between + createHash('sha1').update(bytes).digest('base64');
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    if (this.#seen.size > this.#entriesMax) {
      const [oldest] = this.#seen;
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    return false;
  }

  #add(line: string): void {
    if (!this.#headed) {
      this.#headed = true;
      this.#options.onLine?.(this.#head());
    }
    const trimmed = line.trimEnd();
    this.#lines.push(trimmed);
    if (this.#lines.length > this.#entriesMax) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#options.onLine?.(trimmed);
  }

  #head(): string {
    let line = '';
    for (const [name, column] of this.#columns) {
      line = line.padEnd(Math.max(0, column - Math.floor(name.length / 2))) + name;
    }
    return line;
  }

  /** Everything right of the time: the lifelines, and the arrow from one to another. */
  #arrow(from: string, to: string, label: string, stroke: string): string {
    const start = this.#columns.get(from) ?? timeWidth + 2;
    const end = this.#columns.get(to) ?? start;
    const [left, right] = start < end ? [start, end] : [end, start];
    let line = ' '.repeat(timeWidth);
    for (const column of this.#columns.values()) line = `${line.padEnd(column)}|`;
    if (left === right) return `${line.slice(timeWidth)}  ${label}`;
    const width = right - left - 1;
    const text = fitted(label, width - 6);
    const before = Math.floor((width - text.length - 2) / 2);
    const strokes = `${stroke.repeat(before)} ${text} `.padEnd(width, stroke);
    const shaft = start < end ? `${strokes.slice(0, -1)}>` : `<${strokes.slice(1)}`;
    return line.slice(timeWidth, left + 1) + shaft + line.slice(right);
  }
}

/** The end carries the mark of a repetition, so that the middle goes. */
function fitted(label: string, width: number): string {
  if (label.length <= width) return label;
  const mark = label.endsWith(' (again)') ? ' (again)' : '';
  return `${label.slice(0, Math.max(0, width - mark.length - 2))}..${mark}`;
}

/** Control characters would break the picture, or the terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function headerOf(head: string, name: RegExp): string | undefined {
  return name.exec(head)?.[1]?.trim();
}

/** The method with what it is about, or the status with the method it answers. */
function sipLabel(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  const head = headLines(bytes.subarray(0, end < 0 ? bytes.length : end));
  const [first = ''] = head.split('\n', 1);
  if (first === '') return undefined;
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  if (status) {
    const method = headerOf(head, /^CSeq:[ \t]*\d+[ \t]+(\S+)/im) ?? '';
    return `${status[1]!} ${status[2]!} (${method})`;
  }
  const [method = '', uri = ''] = first.split(' ');
  const event = headerOf(head, /^(?:Event|o):(.*)$/im);
  const expires = headerOf(head, /^Expires:(.*)$/im);
  if (method === 'REGISTER' || method === 'SUBSCRIBE') {
    return `${method}${event === undefined ? '' : ` ${event}`} expires=${expires ?? '?'}`;
  }
  if (method === 'NOTIFY') {
    const state = headerOf(head, /^Subscription-State:([^;\n]*)/im) ?? '';
    return `NOTIFY ${event ?? ''} ${state}`;
  }
  return `${method} ${uri}`;
}

function msrpLabel(bytes: Buffer): string | undefined {
  const head = headLines(bytes);
  const [first = ''] = head.split('\n', 1);
  const [, , ...rest] = first.split(' ');
  if (rest.length === 0) return undefined;
  const id = headerOf(head, /^Message-ID:(.*)$/im);
  const range = headerOf(head, /^Byte-Range:(.*)$/im);
  const type = headerOf(head, /^Content-Type:[ \t]*(?:message\/)?([^;\n]*)/im);
  const status = headerOf(head, /^Status:(.*)$/im);
  const parts = ['MSRP', ...rest, id, range, type, status];
  return parts.filter((part) => part !== undefined).join(' ');
}

/** Method and path, or the status. */
function xcapLabel(bytes: Buffer): string | undefined {
  const [first = ''] = headLines(bytes).split('\n', 1);
  if (first === '') return undefined;
  return `XCAP ${first.replace(/^HTTP\/[\d.]+ | HTTP\/[\d.]+$/g, '')}`;
}

const labels = { sip: sipLabel, msrp: msrpLabel, xcap: xcapLabel };

/** Head lines of a message, one per line, safe to print. */
function headLines(bytes: Buffer): string {
  return bytes.toString('latin1').split('\r\n').map(printable).join('\n');
}
