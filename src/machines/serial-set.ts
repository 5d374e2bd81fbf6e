/** A set of serials as ranges: plain, ordered, small (as IMAP keeps its UIDs). */

/** `[from, to, from, to, …]`, ascending, both ends inside, no two ranges adjacent. */
export type SerialSet = readonly number[];
