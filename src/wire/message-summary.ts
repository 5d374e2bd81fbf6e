/** application/simple-message-summary (RFC 3842 5). */

import { WireError } from './error.js';

/** Counters of one message context class. */
export interface MessageSummaryClass {
  /** As in RFC 3458, such as `Pager-Message`. */
  readonly name: string;
  readonly new: number;
  readonly old: number;
  /** Both or none. */
  readonly newUrgent?: number;
  readonly oldUrgent?: number;
}

/** Header fields of one message. */
export type MessageSummaryHeaders = readonly (readonly [name: string, value: string])[];

export interface MessageSummary {
  readonly waiting: boolean;
  /** URI of Message-Account. */
  readonly account?: string;
  readonly classes: readonly MessageSummaryClass[];
  /** Header blocks of messages added since the last one (MWI-03). */
  readonly headers: readonly MessageSummaryHeaders[];
}

export interface MessageSummaryLimits {
  /** Octets of the body. */
  readonly size: number;
  readonly lines: number;
}

export const messageSummaryLimits: MessageSummaryLimits = { size: 262144, lines: 4096 };

const counterMax = 4_294_967_295;

/** Throws WireError `MWI_FIELD` when a value cannot stand in a line of its own. */
export function writeMessageSummary(summary: MessageSummary): Buffer {
  const lines = [`Messages-Waiting: ${summary.waiting ? 'yes' : 'no'}`];
  if (summary.account !== undefined) lines.push(`Message-Account: ${summary.account}`);
  for (const counted of summary.classes) lines.push(classLine(counted));
  for (const block of summary.headers) {
    lines.push('', ...block.map(([name, value]) => `${name}: ${value}`));
  }
  if (lines.some((line) => line !== '' && !/^[^\s:\x00-\x1f\x7f]+: [^\r\n\0]*$/.test(line))) {
    throw new WireError('MWI_FIELD', 'a value has a line end', 500);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

/** Classes may be unknown; counters above 2^32-1 are clamped. Throws WireError `MWI_…`. */
export function parseMessageSummary(
  body: Buffer,
  limits: Partial<MessageSummaryLimits> = {},
): MessageSummary {
  const [first, ...blocks] = blocksOf(body, { ...messageSummaryLimits, ...limits });
  const [status, ...fields] = first ?? [];
  const waiting = status?.[1].toLowerCase();
  if (status?.[0].toLowerCase() !== 'messages-waiting' || !/^(?:yes|no)$/.test(waiting ?? '')) {
    throw new WireError('MWI_STATUS', 'Messages-Waiting is missing or malformed');
  }
  const classes: MessageSummaryClass[] = [];
  let account: string | undefined;
  for (const [name, value] of fields) {
    if (name.toLowerCase() === 'message-account') account ??= readAccount(value);
    else classes.push(readClass(name, value));
  }
  return {
    waiting: waiting === 'yes',
    ...(account !== undefined && { account }),
    classes,
    headers: blocks,
  };
}

function classLine(counted: MessageSummaryClass): string {
  const { newUrgent, oldUrgent } = counted;
  const urgent =
    newUrgent === undefined && oldUrgent === undefined
      ? ''
      : ` (${counter(newUrgent ?? 0)}/${counter(oldUrgent ?? 0)})`;
  return `${counted.name}: ${counter(counted.new)}/${counter(counted.old)}${urgent}`;
}

function counter(count: number): string {
  return String(Math.min(count, counterMax));
}

/** Header fields between empty lines. */
function blocksOf(body: Buffer, limits: MessageSummaryLimits): [string, string][][] {
  if (body.length > limits.size) throw new WireError('MWI_TOO_LONG', 'the body is too long');
  const lines = body.toString('utf8').split('\n', limits.lines + 1);
  if (lines.length > limits.lines) throw new WireError('MWI_TOO_LONG', 'too many lines');
  const blocks: [string, string][][] = [];
  let block: [string, string][] = [];
  for (const ended of lines) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (line !== '') addLine(block, line);
    else if (block.length > 0) {
      blocks.push(block);
      block = [];
    }
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

function addLine(block: [string, string][], line: string): void {
  if (/[\0\r]/.test(line)) throw new WireError('MWI_LINE', 'a line has NUL or CR');
  const last = block.at(-1);
  const match = /^([^\s:\x00-\x1f\x7f]+)[ \t]*:([^]*)$/.exec(line);
  if (/^[ \t]/.test(line) && last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
  else if (match !== null) block.push([match[1]!, match[2]!.trim()]);
  else throw new WireError('MWI_LINE', 'a line is no header field');
}

/** Peers are known to put the URI into angle brackets (MWI-02). */
function readAccount(value: string): string {
  const uri = value.replace(/^<(.*)>$/, '$1');
  if (/[\s<>]/.test(uri)) throw new WireError('MWI_LINE', 'Message-Account is no URI');
  return uri;
}

function readClass(name: string, value: string): MessageSummaryClass {
  const match =
    /^(\d+)[ \t]*\/[ \t]*(\d+)(?:[ \t]*\([ \t]*(\d+)[ \t]*\/[ \t]*(\d+)[ \t]*\))?$/.exec(value);
  if (match === null) throw new WireError('MWI_LINE', 'the counters of a class are malformed');
  const [, fresh, old, newUrgent, oldUrgent] = match;
  return {
    name,
    new: clamp(fresh!),
    old: clamp(old!),
    ...(newUrgent !== undefined &&
      oldUrgent !== undefined && { newUrgent: clamp(newUrgent), oldUrgent: clamp(oldUrgent) }),
  };
}

function clamp(digits: string): number {
  return Math.min(Number(digits), counterMax);
}
