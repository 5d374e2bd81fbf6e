/** A set of serials as ranges: plain, ordered, small (as IMAP keeps its UIDs). */

/** `[from, to, from, to, …]`, ascending, both ends inside, no two ranges adjacent. */
export type SerialSet = readonly number[];

export const noSerials: SerialSet = [];

/** The set of these serials, in any order and as often as they come. */
export function serialSet(serials: Iterable<number>): SerialSet {
  const ranges: number[] = [];
  for (const serial of [...serials].sort((one, other) => one - other)) {
    append(ranges, serial, serial);
  }
  return ranges;
}

/** The set with this serial; the same set when it is in already. */
export function addSerial(set: SerialSet, serial: number): SerialSet {
  const last = set.length - 1;
  // Serials are handed out in ascending order: nearly every one belongs at the end.
  if (last < 0 || serial > set[last]!) {
    if (last < 0 || set[last] !== serial - 1) return [...set, serial, serial];
    const longer = set.slice();
    longer[last] = serial;
    return longer;
  }
  return hasSerial(set, serial) ? set : union(set, [serial, serial]);
}

/** The set without this serial; the same set when it is not in. */
export function removeSerial(set: SerialSet, serial: number): SerialSet {
  return hasSerial(set, serial) ? difference(set, [serial, serial]) : set;
}

export function hasSerial(set: SerialSet, serial: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (serial < set[2 * middle]!) high = middle - 1;
    else if (serial > set[2 * middle + 1]!) low = middle + 1;
    else return true;
  }
  return false;
}

/** How many serials are in the set. */
export function countSerials(set: SerialSet): number {
  let count = 0;
  for (let i = 0; i < set.length; i += 2) count += set[i + 1]! - set[i]! + 1;
  return count;
}

/** The first `count` serials behind `after`, ascending. */
export function firstSerials(set: SerialSet, count: number, after = -Infinity): number[] {
  const serials: number[] = [];
  for (let i = 0; i < set.length && serials.length < count; i += 2) {
    const to = set[i + 1]!;
    let serial = Math.max(set[i]!, after + 1);
    while (serial <= to && serials.length < count) serials.push(serial++);
  }
  return serials;
}

/** The serials that are in one of the sets. */
export function union(one: SerialSet, other: SerialSet): SerialSet {
  if (other.length === 0) return one;
  if (one.length === 0) return other;
  const ranges: number[] = [];
  let i = 0;
  let j = 0;
  while (i < one.length || j < other.length) {
    if (j >= other.length || (i < one.length && one[i]! <= other[j]!)) {
      append(ranges, one[i]!, one[i + 1]!);
      i += 2;
    } else {
      append(ranges, other[j]!, other[j + 1]!);
      j += 2;
    }
  }
  return ranges;
}

/** The serials that are in both sets. */
export function intersection(one: SerialSet, other: SerialSet): SerialSet {
  const ranges: number[] = [];
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    const from = Math.max(one[i]!, other[j]!);
    const to = Math.min(one[i + 1]!, other[j + 1]!);
    if (from <= to) append(ranges, from, to);
    if (one[i + 1]! < other[j + 1]!) i += 2;
    else j += 2;
  }
  return ranges;
}

/** The serials of `one` that are not in `other`. */
export function difference(one: SerialSet, other: SerialSet): SerialSet {
  if (one.length === 0 || other.length === 0) return one;
  const ranges: number[] = [];
  let j = 0;
  for (let i = 0; i < one.length; i += 2) {
    let from = one[i]!;
    const to = one[i + 1]!;
    while (j < other.length && other[j + 1]! < from) j += 2;
    for (let k = j; k < other.length && other[k]! <= to; k += 2) {
      if (other[k]! > from) append(ranges, from, other[k]! - 1);
      from = other[k + 1]! + 1;
      j = k;
    }
    if (from <= to) append(ranges, from, to);
  }
  return ranges;
}

/** Appends a range that begins not before the last one. */
function append(ranges: number[], from: number, to: number): void {
  const last = ranges.length - 1;
  if (last >= 0 && from <= ranges[last]! + 1) ranges[last] = Math.max(ranges[last]!, to);
  else ranges.push(from, to);
}
