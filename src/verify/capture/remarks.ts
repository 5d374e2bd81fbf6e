/** What is said of the things that could not be read: each in a line, like ones counted. */

export class Remarks {
  readonly #max: number;
  readonly #lines: string[] = [];
  readonly #counts = new Map<string, { count: number; readonly first: number }>();
  #more = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(line: string): void {
    if (this.#lines.length < this.#max) this.#lines.push(line);
    else this.#more++;
  }

  /** Of something that may come in every frame: it is told once, with the first of them. */
  count(what: string, number: number): void {
    const counted = this.#counts.get(what);
    if (counted !== undefined) counted.count++;
    else if (this.#counts.size < this.#max) this.#counts.set(what, { count: 1, first: number });
    else this.#more++;
  }

  list(): string[] {
    const counted = [...this.#counts].map(
      ([what, { count, first }]) => `${what}: ${count}, the first at ${first}`,
    );
    const more = this.#more === 0 ? [] : [`and ${this.#more} more remarks`];
    return [...this.#lines, ...counted, ...more];
  }
}
