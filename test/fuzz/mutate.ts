/** Changes to inputs that keep some of their structure: octets, numbers, words, lines. */

import type { Draw } from './draw.js';

export interface Material {
  /** Inputs to cut pieces from. */
  readonly corpus: readonly Buffer[];
  /** Words of the format. */
  readonly words: readonly string[];
}

type Mutation = (bytes: Buffer, draw: Draw, material: Material) => Buffer;

/** No input grows beyond it. */
const lengthMax = 16_384;

const numbers = [
  ...['0', '1', '-1', '9', '00', '0x10', '1e9', '255', '256', '65535', '65536', '2147483647'],
  ...['2147483648', '4294967295', '4294967296', '9007199254740993', '18446744073709551616', '*'],
];

/** Octets that mean something in one of the formats. */
const marks = Buffer.from('\0\t\n\r "#$%&\'()*+,-./:;<=>?@[\\]_`{|}~\x7f\x80\xc3\xff', 'latin1');

const mutations: readonly Mutation[] = [
  setOctet,
  setOctet,
  flipBit,
  setMark,
  removeRange,
  repeatRange,
  moveRange,
  insertWord,
  insertWord,
  replaceNumber,
  replaceNumber,
  removeLine,
  repeatLine,
  swapLines,
  borrowLine,
  borrowLine,
  spliceInput,
  truncate,
];

/** One to `changesMax` changes of an input. */
export function mutate(bytes: Buffer, draw: Draw, material: Material, changesMax = 5): Buffer {
  let changed = bytes;
  for (let left = 1 + draw.below(changesMax); left > 0; left--) {
    changed = draw.pick(mutations)(changed, draw, material);
  }
  return changed.subarray(0, lengthMax);
}

/** Content-Length set to what follows the head, so that changed messages reach the body. */
export function withContentLength(bytes: Buffer): Buffer {
  const empty = bytes.indexOf('\r\n\r\n');
  if (empty < 0) return bytes;
  const head = bytes.toString('latin1', 0, empty);
  const length = `$1 ${bytes.length - empty - 4}`;
  const mended = head.replace(/^(content-length[ \t]*:|l[ \t]*:).*$/im, length);
  return Buffer.concat([Buffer.from(mended, 'latin1'), bytes.subarray(empty)]);
}

function setOctet(bytes: Buffer, draw: Draw): Buffer {
  return withOctet(bytes, draw, draw.below(256));
}

function setMark(bytes: Buffer, draw: Draw): Buffer {
  return withOctet(bytes, draw, marks[draw.below(marks.length)]!);
}

function flipBit(bytes: Buffer, draw: Draw): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) {
    const at = draw.below(copy.length);
    copy[at] = copy[at]! ^ (1 << draw.below(8));
  }
  return copy;
}

function removeRange(bytes: Buffer, draw: Draw): Buffer {
  const { from, to } = range(bytes, draw);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function repeatRange(bytes: Buffer, draw: Draw): Buffer {
  const { from, to } = range(bytes, draw);
  const times = draw.once(8) ? draw.below(200) : 1 + draw.below(3);
  const piece = bytes.subarray(from, to);
  const copies = Array<Buffer>(Math.min(times, Math.ceil(lengthMax / (piece.length + 1))));
  return Buffer.concat([bytes.subarray(0, to), ...copies.fill(piece), bytes.subarray(to)]);
}

function moveRange(bytes: Buffer, draw: Draw): Buffer {
  const { from, to } = range(bytes, draw);
  return insert(bytes, draw.below(bytes.length + 1), bytes.subarray(from, to));
}

function insertWord(bytes: Buffer, draw: Draw, { words }: Material): Buffer {
  const word = Buffer.from(draw.pick(words), 'latin1');
  const at = draw.below(bytes.length + 1);
  if (draw.once(2)) return insert(bytes, at, word);
  return Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at + word.length)]);
}

function replaceNumber(bytes: Buffer, draw: Draw): Buffer {
  const found = [...bytes.toString('latin1').matchAll(/\d+/g)];
  if (found.length === 0) return setOctet(bytes, draw);
  const { index, 0: digits } = draw.pick(found);
  const value = draw.once(3) ? String(Number(digits) + draw.below(5) - 2) : draw.pick(numbers);
  const rest = bytes.subarray(index + digits.length);
  return Buffer.concat([bytes.subarray(0, index), Buffer.from(value), rest]);
}

function removeLine(bytes: Buffer, draw: Draw): Buffer {
  const lines = linesOf(bytes);
  lines.splice(draw.below(lines.length), 1);
  return Buffer.concat(lines);
}

function repeatLine(bytes: Buffer, draw: Draw): Buffer {
  const lines = linesOf(bytes);
  const line = draw.pick(lines);
  lines.splice(draw.below(lines.length + 1), 0, ...Array<Buffer>(1 + draw.below(3)).fill(line));
  return Buffer.concat(lines);
}

function swapLines(bytes: Buffer, draw: Draw): Buffer {
  const lines = linesOf(bytes);
  const [one, other] = [draw.below(lines.length), draw.below(lines.length)];
  [lines[one], lines[other]] = [lines[other]!, lines[one]!];
  return Buffer.concat(lines);
}

function borrowLine(bytes: Buffer, draw: Draw, { corpus }: Material): Buffer {
  const lines = linesOf(bytes);
  const borrowed = draw.pick(linesOf(draw.pick(corpus)));
  lines.splice(draw.below(lines.length), draw.below(2), borrowed);
  return Buffer.concat(lines);
}

function spliceInput(bytes: Buffer, draw: Draw, { corpus }: Material): Buffer {
  const other = draw.pick(corpus);
  const head = bytes.subarray(0, draw.below(bytes.length + 1));
  return Buffer.concat([head, other.subarray(draw.below(other.length + 1))]);
}

function truncate(bytes: Buffer, draw: Draw): Buffer {
  return bytes.subarray(0, draw.below(bytes.length + 1));
}

function withOctet(bytes: Buffer, draw: Draw, octet: number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[draw.below(copy.length)] = octet;
  return copy;
}

function insert(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function range(bytes: Buffer, draw: Draw): { from: number; to: number } {
  const from = draw.below(bytes.length + 1);
  const length = draw.once(4) ? draw.below(bytes.length + 1) : draw.below(12);
  return { from, to: Math.min(bytes.length, from + length) };
}

/** With their line ends; at least one. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from);
    const after = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(from, after));
    from = after;
  }
  return lines.length === 0 ? [bytes] : lines;
}
