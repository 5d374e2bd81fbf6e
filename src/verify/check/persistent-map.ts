/**
 * A map of strings that is a value: what is set or deleted makes another one, which shares all but
 * a path with it. Explanations branch with every message, and mailboxes are large.
 */

interface Leaf<V> {
  readonly kind: 'leaf';
  readonly hash: number;
  /** More than one where hashes are the same. */
  readonly entries: readonly (readonly [key: string, value: V])[];
  readonly least: number;
}

interface Branch<V> {
  readonly kind: 'branch';
  /** Which of the 16 places are taken. */
  readonly places: number;
  readonly children: readonly Node<V>[];
  readonly least: number;
}

type Node<V> = Leaf<V> | Branch<V>;

/** Narrow nodes: every change copies those on its path. */
const bits = 4;
const mask = 15;

export class PersistentMap<V> {
  /** Children of nodes that were copied in all maps: what changes cost. */
  static copied = 0;
  readonly #weigh: (value: V) => number;
  readonly #root: Node<V> | undefined;
  readonly size: number;

  /** `weigh`: what `upTo` goes by. */
  constructor(weigh: (value: V) => number = () => 0, root?: Node<V>, size = 0) {
    this.#weigh = weigh;
    this.#root = root;
    this.size = size;
  }

  get(key: string): V | undefined {
    return this.#find(key, hashOf(key));
  }

  #find(key: string, hash: number): V | undefined {
    let node = this.#root;
    for (let shift = 0; node?.kind === 'branch'; shift += bits) node = childAt(node, hash, shift);
    if (node?.hash !== hash) return undefined;
    for (const [name, value] of node.entries) if (name === key) return value;
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): PersistentMap<V> {
    const hash = hashOf(key);
    const leaf = leafOf(hash, [[key, value]], this.#weigh);
    const root = this.#root === undefined ? leaf : put(this.#root, leaf, 0, this.#weigh);
    const more = this.#find(key, hash) === undefined ? 1 : 0;
    return new PersistentMap(this.#weigh, root, this.size + more);
  }

  delete(key: string): PersistentMap<V> {
    const hash = hashOf(key);
    if (this.#root === undefined || this.#find(key, hash) === undefined) return this;
    const root = without(this.#root, { hash, key, weigh: this.#weigh }, 0);
    return new PersistentMap(this.#weigh, root, this.size - 1);
  }

  /** In no order. */
  *entries(): Generator<readonly [key: string, value: V]> {
    if (this.#root !== undefined) yield* entriesUpTo(this.#root, Infinity);
  }

  /** Those that weigh no more than that; the others cost nothing. */
  *upTo(weight: number): Generator<V> {
    if (this.#root === undefined) return;
    for (const [, value] of entriesUpTo(this.#root, weight)) {
      if (this.#weigh(value) <= weight) yield value;
    }
  }
}

/** FNV-1a. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

function placeOf(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & mask);
}

/** How many places are taken before that one. */
function indexOf(places: number, place: number): number {
  let before = places & (place - 1);
  before -= (before >>> 1) & 0x55555555;
  before = (before & 0x33333333) + ((before >>> 2) & 0x33333333);
  return Math.imul((before + (before >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function childAt<V>({ places, children }: Branch<V>, hash: number, shift: number) {
  const place = placeOf(hash, shift);
  return (places & place) === 0 ? undefined : children[indexOf(places, place)];
}

function leafOf<V>(
  hash: number,
  entries: Leaf<V>['entries'],
  weigh: (value: V) => number,
): Leaf<V> {
  let least = Infinity;
  for (const [, value] of entries) least = Math.min(least, weigh(value));
  return { kind: 'leaf', hash, entries, least };
}

function branchOf<V>(places: number, children: readonly Node<V>[]): Branch<V> {
  PersistentMap.copied += children.length;
  let least = Infinity;
  for (const child of children) if (child.least < least) least = child.least;
  return { kind: 'branch', places, children, least };
}

/** `leaf` has one entry. */
function put<V>(node: Node<V>, leaf: Leaf<V>, shift: number, weigh: (value: V) => number): Node<V> {
  if (node.kind === 'leaf') {
    if (node.hash !== leaf.hash) return forked(node, leaf, shift);
    const [name] = leaf.entries[0]!;
    const others = node.entries.filter(([key]) => key !== name);
    if (others.length === 0) return leaf;
    return leafOf(leaf.hash, [...others, ...leaf.entries], weigh);
  }
  const place = placeOf(leaf.hash, shift);
  const index = indexOf(node.places, place);
  const children = node.children.slice();
  if ((node.places & place) === 0) {
    children.splice(index, 0, leaf);
    return branchOf(node.places | place, children);
  }
  children[index] = put(children[index]!, leaf, shift + bits, weigh);
  return branchOf(node.places, children);
}

/** Two leaves of which the hashes differ further up. */
function forked<V>(one: Leaf<V>, other: Leaf<V>, shift: number): Branch<V> {
  const [first, second] = [placeOf(one.hash, shift), placeOf(other.hash, shift)];
  if (first === second) return branchOf(first, [forked(one, other, shift + bits)]);
  const isOrdered = first >>> 0 < second >>> 0;
  return branchOf(first | second, isOrdered ? [one, other] : [other, one]);
}

/** What is taken away, and how the rest is weighed. */
interface Gone<V> {
  readonly hash: number;
  readonly key: string;
  readonly weigh: (value: V) => number;
}

function without<V>(node: Node<V>, gone: Gone<V>, shift: number): Node<V> | undefined {
  if (node.kind === 'leaf') {
    const entries = node.entries.filter(([key]) => key !== gone.key);
    return entries.length === 0 ? undefined : leafOf(node.hash, entries, gone.weigh);
  }
  const place = placeOf(gone.hash, shift);
  const index = indexOf(node.places, place);
  const child = without(node.children[index]!, gone, shift + bits);
  const children = node.children.slice();
  if (child === undefined) children.splice(index, 1);
  else children[index] = child;
  if (children.length === 0) return undefined;
  return branchOf(child === undefined ? node.places & ~place : node.places, children);
}

function* entriesUpTo<V>(
  node: Node<V>,
  weight: number,
): Generator<readonly [key: string, value: V]> {
  if (node.least > weight) return;
  if (node.kind === 'leaf') yield* node.entries;
  else for (const child of node.children) yield* entriesUpTo(child, weight);
}
